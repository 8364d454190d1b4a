// How results look.
import { expect, test } from 'vitest';
import { isReached, type ResultRow } from '../src/measurement.js';
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
