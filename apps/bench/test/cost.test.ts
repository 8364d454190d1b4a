// What a workflow costs its database is what ARCHITECTURE.md says, so that neither can change without the other.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { differences, formatCosts, replaceTable, tableIn, type CostSide } from '../src/cost/cost-table.js';
import { measureAllCosts } from '../src/cost/measure-all-costs.js';

const architecture = new URL('../../../ARCHITECTURE.md', import.meta.url);

test('the table of ARCHITECTURE.md is what is measured', { timeout: 120_000 }, async () => {
  const sides = await measureAllCosts();
  const written = tableIn(await readFile(architecture, 'utf8'));
  expect(differences(written, sides), 'if it is meant: pnpm cost').toEqual([]);
  // Whatever the table says: what these cost is promised.
  for (const { costs } of sides) {
    const commitsOf = (what: string) => costs.find((cost) => cost.what === what)?.commits;
    expect(commitsOf('start, until the first step begins')).toBe(1);
    expect(commitsOf('step, until the next one begins')).toBe(1);
    expect(commitsOf('last step and completion')).toBe(1);
    expect(commitsOf('step, then a wait, until it is put away')).toBe(1);
  }
});

const sides = (change: { readonly statements?: number; readonly logBytes?: number } = {}): readonly CostSide[] => [
  {
    title: 'A',
    costs: [{ what: 'start', statements: 1, commits: 1, roundTrips: 1, logBytes: 1000, ...change }],
  },
  { title: 'B', costs: [{ what: 'step', statements: 5.5, commits: 1, roundTrips: null, logBytes: 20_600 }] },
];

test('a table is written between its marks, and read back', () => {
  const table = formatCosts(sides());
  expect(table.split('\n')[2]).toBe('| start | 1 | 1 | 1 | 1,000 | – | – | – |');
  expect(table.split('\n')[3]).toBe('| step | – | – | – | – | 5.5 | 1 | 20,600 |');
  const text = 'before\n<!-- cost: written by `pnpm cost`, from here -->\nold\n<!-- cost: to here -->\nafter';
  const written = replaceTable(text, table);
  expect(tableIn(written)).toBe(table);
  expect(written.replace(table, 'old')).toBe(text);
  expect(() => replaceTable('no marks', table)).toThrow('lacks');
});

test('a count that differs is told, bytes are when they differ much, and so is a row that came or went', () => {
  const table = formatCosts(sides());
  expect(differences(table, sides())).toEqual([]);
  expect(differences(table, sides({ statements: 2 }))).toEqual(['start, A: statements: 1 became 2']);
  expect(differences(table, sides({ logBytes: 1100 }))).toEqual([]);
  expect(differences(table, sides({ logBytes: 1200 }))).toEqual(['start, A: bytes of WAL: 1,000 became 1,200']);
  expect(differences(table, sides({ logBytes: 800 }))).toEqual(['start, A: bytes of WAL: 1,000 became 800']);
  expect(differences(table.split('\n').slice(0, 3).join('\n'), sides())).toEqual(['step: is not in the table']);
  expect(differences(table.replaceAll('A: ', 'A 15: '), [{ ...sides()[0]!, title: 'A 18' }, sides()[1]!])).toEqual([]);
  expect(differences(table.replaceAll('A: ', 'C: '), sides())).toHaveLength(1);
  expect(differences(`${table}\n| end | 1 | 1 | 1 | 1 | 1 | 1 | 1 |`, sides())).toEqual(['end: is measured no more']);
});
