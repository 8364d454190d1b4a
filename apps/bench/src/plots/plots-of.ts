// Which plots there are, and what of the results goes into each.
import type { Distribution, Line, ResultRow } from '../measurement.js';
import { quantile } from '../statistics.js';
import type { LinePlot, PlotLine } from './line-plot.js';

/** What `pnpm bench --json` writes. */
export interface Results {
  /** Of short rounds, which are good for a first look only. */
  readonly isQuick: boolean;
  /** About the machine, the versions and the settings. */
  readonly facts: readonly string[];
  readonly results: readonly StoredRow[];
}

type StoredRow = ResultRow & { readonly storage: string };

const distributions: Readonly<Record<Distribution, string>> = {
  'start-to-result': 'From start to result, a workflow of three steps alone',
  'event-to-resumption': 'From an event to the next line, in another process',
  'timer-lateness': 'How late timers are, a thousand a second',
};

/** What the lines are called: of Romancy, and of what it is beside. */
interface LineHead {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly isLogarithmic: boolean;
  readonly romancy: string;
  readonly raw: string;
}

const waiting = { x: 'instances that wait', isLogarithmic: true, romancy: 'with them', raw: 'empty table, same rounds' } as const;
const lines: Readonly<Record<Line, LineHead>> = {
  workers: {
    ...{ title: 'Throughput with more worker processes', x: 'worker processes', y: 'steps per second', isLogarithmic: false },
    ...{ romancy: 'so many processes', raw: 'one process, same rounds' },
  },
  'backlog-throughput': { title: 'Throughput while many wait', y: 'steps per second', ...waiting },
  'backlog-latency': { title: 'Start to result while many wait', y: 'milliseconds', ...waiting },
  history: {
    ...{ title: 'A step behind a long history', x: 'steps behind it', y: 'milliseconds', isLogarithmic: true },
    ...{ romancy: 'Romancy', raw: 'by hand' },
  },
};

/** By the names of their files. Of what was not measured there is none. */
export function plotsOf({ isQuick, facts, results }: Results): ReadonlyMap<string, LinePlot> {
  const note = [...(isQuick ? ['SHORT ROUNDS'] : []), ...facts.slice(0, 2)].join('; ');
  const plots = new Map<string, LinePlot>();
  for (const [chart, title] of Object.entries(distributions)) {
    const found = results.flatMap((row) => distributionLines(row, chart));
    if (found.length === 0) continue;
    const x = { label: 'milliseconds', isLogarithmic: true };
    plots.set(`${chart}.svg`, { title, x, y: { label: 'of 100', isLogarithmic: false, includes: [0] }, lines: found, note });
  }
  for (const [chart, head] of Object.entries(lines)) {
    const rows = results.filter((row) => row.plot?.chart === chart);
    const found = [...new Set(rows.map(({ storage }) => storage))].flatMap((storage) =>
      sidesOf(
        rows.filter((row) => row.storage === storage),
        { head, storage },
      ),
    );
    if (found.length === 0) continue;
    const x = { label: head.x, isLogarithmic: head.isLogarithmic, includes: head.isLogarithmic ? [] : [0] };
    plots.set(`${chart}.svg`, {
      title: head.title,
      x,
      y: { label: head.y, isLogarithmic: false, includes: [0] },
      lines: found,
      note,
    });
  }
  return plots;
}

const parts = Array.from({ length: 200 }, (_, index) => (index + 0.5) / 200);
/** What was sooner than the clock tells is drawn here, in milliseconds. */
const least = 0.01;

function distributionLines({ plot, storage }: StoredRow, chart: string): readonly PlotLine[] {
  if (plot?.chart !== chart || !('romancy' in plot)) return [];
  const line = (samples: readonly number[]) =>
    parts.map((part) => [Math.max(least, quantile(samples, part)), part * 100] as const);
  return [
    { name: `Romancy, ${storage}`, points: line(plot.romancy) },
    { name: `by hand, ${storage}`, points: line(plot.raw), isDashed: true },
  ];
}

function sidesOf(
  rows: readonly StoredRow[],
  { head, storage }: { readonly head: LineHead; readonly storage: string },
): readonly PlotLine[] {
  const points = (pick: (row: StoredRow) => number | null) =>
    rows.flatMap((row) => {
      const value = pick(row);
      return row.plot === undefined || !('x' in row.plot) || value === null ? [] : [[row.plot.x, value] as const];
    });
  const raw = points((row) => row.raw);
  return [
    { name: `${head.romancy}, ${storage}`, points: points(({ romancy }) => romancy), hasMarks: true },
    ...(raw.length === 0 ? [] : [{ name: `${head.raw}, ${storage}`, points: raw, hasMarks: true, isDashed: true }]),
  ];
}
