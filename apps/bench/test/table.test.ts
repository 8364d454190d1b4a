// How results look.
import { expect, test } from 'vitest';
import { isReached, ownRow, pooledRow, type ResultRow } from '../src/measurement.js';
import { formatNumber, formatTable } from '../src/table.js';

const row: ResultRow = {
  what: 'throughput',
  unit: 'steps/s',
  romancy: 5293.4,
  raw: 4096,
  ratio: 1.292,
  spread: [0.984, 1.43],
  target: { of: 'ratio', bound: 'at least', value: 2 },
};

test('numbers have three digits that count', () => {
  expect([0, 0.0123, 0.7318, 4.414, 15.49, 559.2, 5293.4].map(formatNumber)).toEqual([
    '0',
    '0.012',
    '0.732',
    '4.41',
    '15.5',
    '559',
    '5293',
  ]);
});

test('columns are aligned, and what has no counterpart says so', () => {
  const alone: ResultRow = { ...row, what: 'statements', romancy: 1, raw: null, ratio: null, target: null };
  expect(
    `\n${formatTable([
      { ...row, storage: 'postgres' },
      { ...alone, storage: 'sqlite' },
    ])}\n`,
  ).toBe(`
what        storage   unit     romancy   raw  ratio         spread  target            reached?
----------  --------  -------  -------  ----  -----  -------------  ----------------  --------
throughput  postgres  steps/s     5293  4096   1.29  0.984 to 1.43  ratio at least 2  NO
statements  sqlite    steps/s     1.00     -      -  0.984 to 1.43  -
`);
});

test('a target holds for the ratio or for the number itself, in its direction', () => {
  expect(isReached(row)).toBe(false);
  expect(isReached({ ...row, ratio: 2 })).toBe(true);
  expect(isReached({ ...row, target: { of: 'ratio', bound: 'at most', value: 2 } })).toBe(true);
  expect(isReached({ ...row, ratio: null, target: { of: 'romancy', bound: 'at most', value: 3 } })).toBe(false);
  expect(isReached({ ...row, target: null })).toBeNull();
});

test('a target holds for the difference of both numbers, and for none where one is missing', () => {
  const note: ResultRow = {
    ...row,
    what: 'note',
    unit: 'ms',
    romancy: 0.1,
    raw: 0.06,
    target: { of: 'difference', bound: 'at most', value: 0.05 },
  };
  expect(isReached(note)).toBe(true);
  expect(isReached({ ...note, romancy: 0.12 })).toBe(false);
  expect(isReached({ ...note, raw: null })).toBe(false);
  expect(formatTable([{ ...note, storage: 'postgres' }])).toContain('difference at most 0.05  yes');
});

test('samples of all rounds together give one quantile; the spread is that of the rounds', () => {
  const rounds = [[1, 2, 3].map((value) => ({ romancy: value, raw: 1 })), [4, 5, 6].map((value) => ({ romancy: value, raw: 2 }))];
  expect(pooledRow({ what: 'pooled', unit: 'ms' }, rounds, 1)).toEqual({
    ...{ what: 'pooled', unit: 'ms', target: null },
    ...{ romancy: 6, raw: 2, ratio: 3, spread: [3, 3] },
  });
});

test('numbers without a counterpart are told by their median, or as is said', () => {
  const head = { what: 'alone', unit: 'ms' };
  expect(ownRow(head, [3, 1, 8])).toEqual({ ...head, target: null, romancy: 3, raw: null, ratio: null, spread: [1, 8] });
  expect(ownRow(head, [3, 1, 8], (each) => Math.max(...each)).romancy).toBe(8);
});
