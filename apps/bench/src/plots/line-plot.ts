// Draws lines as an SVG: axes, ticks, a legend, a title.
import { makeAxis, type Axis, type AxisOptions } from './axis.js';

export interface PlotLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** What others are compared with. */
  readonly isDashed?: boolean;
  readonly hasMarks?: boolean;
}

export interface LinePlot {
  readonly title: string;
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly lines: readonly PlotLine[];
  /** In small letters below: where the numbers come from. */
  readonly note: string;
}

const size = { width: 760, height: 480 };
const inner = { left: 72, right: 24, top: 84, bottom: 84 };
const colours = ['#0b6bcb', '#c4451c', '#2b8a3e', '#8a3ffc', '#a15c00', '#0f8b8d'];

/** @throws RangeError when a line has no points, or one that has no place. */
export function drawLinePlot({ title, x, y, lines, note }: LinePlot): string {
  const points = lines.flatMap((line) => line.points);
  const axes = {
    x: makeAxis(
      x,
      points.map(([value]) => value),
    ),
    y: makeAxis(
      y,
      points.map(([, value]) => value),
    ),
  };
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(inner.left, 26, title, 'font-size="16" font-weight="bold"'),
    ...drawX(axes.x),
    ...drawY(axes.y),
    ...lines.flatMap((line, index) => drawLine(line, colourOf(index), axes)),
    ...drawLegend(lines),
    text(inner.left, size.height - 12, note, 'font-size="10" fill="#666"'),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

const left = (part: number): number => inner.left + part * (size.width - inner.left - inner.right);
const top = (part: number): number => size.height - inner.bottom - part * (size.height - inner.top - inner.bottom);

function drawX({ label, ticks, place }: Axis): readonly string[] {
  const lines = ticks.flatMap((tick) => [
    stroke([left(place(tick)), top(0)], [left(place(tick)), top(1)]),
    text(left(place(tick)), top(0) + 18, short(tick), 'text-anchor="middle"'),
  ]);
  return [...lines, text(left(0.5), top(0) + 40, label, 'text-anchor="middle"')];
}

function drawY({ label, ticks, place }: Axis): readonly string[] {
  const lines = ticks.flatMap((tick) => [
    stroke([left(0), top(place(tick))], [left(1), top(place(tick))]),
    text(left(0) - 8, top(place(tick)) + 4, short(tick), 'text-anchor="end"'),
  ]);
  const middle = round(top(0.5));
  return [...lines, text(18, middle, label, `text-anchor="middle" transform="rotate(-90 18 ${middle})"`)];
}

function drawLine({ points, isDashed, hasMarks }: PlotLine, colour: string, { x, y }: { readonly x: Axis; readonly y: Axis }) {
  const places = points.map(([one, other]) => [round(left(x.place(one))), round(top(y.place(other)))] as const);
  const path = places.map(([one, other]) => `${one},${other}`).join(' ');
  const dashes = isDashed === true ? ' stroke-dasharray="6 4"' : '';
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`,
    ...(hasMarks === true ? places.map(([one, other]) => `<circle cx="${one}" cy="${other}" r="3.5" fill="${colour}"/>`) : []),
  ];
}

/** In two columns, between the title and the lines. */
function drawLegend(lines: readonly PlotLine[]): readonly string[] {
  return lines.flatMap(({ name, isDashed }, index) => {
    const [from, height] = [left((index % 2) * 0.5), 46 + Math.floor(index / 2) * 18];
    const dashes = isDashed === true ? ' stroke-dasharray="6 4"' : '';
    return [
      `<line x1="${from}" y1="${height}" x2="${from + 28}" y2="${height}" stroke="${colourOf(index)}" stroke-width="2"${dashes}/>`,
      text(from + 36, height + 4, name),
    ];
  });
}

function colourOf(index: number): string {
  return colours[index % colours.length]!;
}

function stroke(from: readonly [number, number], to: readonly [number, number]): string {
  const [x1, y1, x2, y2] = [...from, ...to].map(round);
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${more === '' ? '' : ` ${more}`}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** 0.05, 200, 10k, 1M. */
function short(value: number): string {
  const rounded = Number(value.toPrecision(6));
  if (Math.abs(rounded) >= 1e6) return `${rounded / 1e6}M`;
  return Math.abs(rounded) >= 10_000 ? `${rounded / 1000}k` : String(rounded);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
