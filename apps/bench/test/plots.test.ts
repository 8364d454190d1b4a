// Plots show what was measured, at its place.
import { expect, test } from 'vitest';
import { makeAxis } from '../src/plots/axis.js';
import { drawLinePlot } from '../src/plots/line-plot.js';
import { plotsOf, type Results } from '../src/plots/plots-of.js';

test('a linear axis begins and ends at round numbers', () => {
  const { ticks, place } = makeAxis({ label: 'ms', isLogarithmic: false, includes: [0] }, [3, 9.2]);
  expect(ticks).toEqual([0, 2, 4, 6, 8, 10]);
  expect([0, 5, 10].map(place)).toEqual([0, 0.5, 1]);
  expect(makeAxis({ label: 'ms', isLogarithmic: false }, [7]).ticks.length).toBeGreaterThan(1);
});

test('a logarithmic axis has powers of ten', () => {
  const { ticks, place } = makeAxis({ label: 'ms', isLogarithmic: true }, [0.2, 80]);
  expect(ticks.map((tick) => Number(tick.toPrecision(3)))).toEqual([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]);
  expect(place(0.1)).toBe(0);
  expect(place(Math.sqrt(10))).toBeCloseTo(0.5);
  expect(makeAxis({ label: 'waiting', isLogarithmic: true }, [10, 1e6]).ticks).toEqual([10, 100, 1000, 1e4, 1e5, 1e6]);
});

test('what has no place is refused', () => {
  expect(() => makeAxis({ label: 'ms', isLogarithmic: true }, [0, 1])).toThrow(RangeError);
  expect(() => makeAxis({ label: 'ms', isLogarithmic: false }, [Number.NaN])).toThrow(RangeError);
  expect(() => makeAxis({ label: 'ms', isLogarithmic: false }, [])).toThrow(RangeError);
});

test('a plot has its title, its lines and their names, and text is text', () => {
  const svg = drawLinePlot({
    title: 'a < b',
    x: { label: 'of "x"', isLogarithmic: false },
    y: { label: 'y', isLogarithmic: false },
    lines: [
      {
        name: 'up',
        points: [
          [0, 0],
          [10, 10],
        ],
        hasMarks: true,
      },
      { name: 'beside', points: [[5, 5]], isDashed: true },
    ],
    note: 'one machine',
  });
  for (const part of ['a &lt; b', 'of &quot;x&quot;', '>up<', '>beside<', '>one machine<', 'stroke-dasharray']) {
    expect(svg).toContain(part);
  }
  // From the corner at the bottom left to that at the top right.
  expect(svg).toContain('<polyline points="72,396 736,84"');
  expect(svg.match(/<circle/g)).toHaveLength(2);
  expect(svg.match(/<\w/g)!.length).toBe(svg.match(/\/>|<\/\w/g)!.length);
});

const row = {
  ...{ what: 'a row', storage: 'postgres', unit: 'ms', romancy: 2, raw: 1, ratio: 2 },
  ...{ spread: [2, 2] as const, target: null },
};

test('plots are made of the rows that say so', () => {
  const results: Results = {
    isQuick: false,
    facts: ['2 cores', 'node 20', 'and more'],
    results: [
      row,
      { ...row, plot: { chart: 'start-to-result', romancy: [1, 2, 3], raw: [1, 1, 1] } },
      { ...row, storage: 'sqlite', plot: { chart: 'start-to-result', romancy: [4], raw: [0] } },
      { ...row, raw: null, plot: { chart: 'workers', x: 1 } },
      { ...row, plot: { chart: 'workers', x: 2 } },
    ],
  };
  const plots = plotsOf(results);
  expect([...plots.keys()]).toEqual(['start-to-result.svg', 'workers.svg']);
  const { lines, note } = plots.get('start-to-result.svg')!;
  expect(note).toBe('2 cores; node 20');
  expect(plotsOf({ ...results, isQuick: true }).get('workers.svg')!.note).toContain('SHORT ROUNDS');
  expect(lines.map(({ name }) => name)).toEqual(['Romancy, postgres', 'by hand, postgres', 'Romancy, sqlite', 'by hand, sqlite']);
  expect(lines[0]!.points.at(100)!.map((value) => Math.round(value))).toEqual([2, 50]);
  expect(plots.get('workers.svg')!.lines.map(({ points }) => points)).toEqual([
    [
      [1, 2],
      [2, 2],
    ],
    [[2, 1]],
  ]);
  for (const plot of plots.values()) expect(drawLinePlot(plot)).toContain('</svg>');
});
