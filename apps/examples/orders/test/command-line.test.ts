// Shows what the command line takes, and what it says to the rest.
import { expect, it } from 'vitest';
import { parseCommandLine, DemoError } from '../src/command-line.js';

it('assumes something sensible', () => {
  expect(parseCommandLine([])).toMatchObject({
    postgres: undefined,
    data: '.romancy-orders',
    fresh: false,
    seed: 1,
    kill: true,
    measure: 0,
  });
  expect(parseCommandLine([])?.input).toMatch(/sample.orders\.jsonl$/);
});

it('takes every option, in both notations, behind the -- of a package manager too', () => {
  const expected = {
    input: 'a b.jsonl',
    postgres: 'postgres://me@host/db',
    data: 'here',
    fresh: true,
    seed: 42,
    kill: false,
    measure: 500,
  };
  const url = 'postgres://me@host/db';
  expect(
    parseCommandLine([
      ...[
        '--',
        '--input',
        'a b.jsonl',
        '--postgres',
        url,
        '--data',
        'here',
        '--fresh',
        '--seed',
        '42',
        '--no-kill',
        '--measure',
        '500',
      ],
    ]),
  ).toEqual(expected);
  expect(
    parseCommandLine([
      '--input=a b.jsonl',
      `--postgres=${url}`,
      '--data=here',
      '--fresh',
      '--seed=42',
      '--no-kill',
      '--measure=500',
    ]),
  ).toEqual(expected);
});

it('starts a server of its own for --postgres without a URL, wherever that stands', () => {
  expect(parseCommandLine(['--postgres'])?.postgres).toBe('embedded');
  expect(parseCommandLine(['--postgres', '--fresh'])).toMatchObject({ postgres: 'embedded', fresh: true });
});

it('measures on PostgreSQL alone, unless told not to', () => {
  expect(parseCommandLine(['--postgres'])?.measure).toBe(120);
  expect(parseCommandLine(['--measure', '0', '--postgres'])?.measure).toBe(0);
});

it('knows when help is wanted', () => {
  expect(parseCommandLine(['--seed', '1', '--help'])).toBeUndefined();
  expect(parseCommandLine(['-h'])).toBeUndefined();
});

it.each([
  [['--sed', '1'], 'There is no option --sed; --help shows what there is.'],
  [['orders.jsonl'], 'Nothing asked for orders.jsonl; --help shows what there is.'],
  [['--input'], '--input needs a file with orders.'],
  [['--input', '--fresh'], '--input needs a file with orders.'],
  [['--data='], '--data needs a folder.'],
  [['--seed', 'one'], '--seed is one; it takes a whole number from 0.'],
  [['--seed', '-1'], '--seed is -1; it takes a whole number from 0.'],
  [['--measure', '120'], '--measure needs --postgres: there is nothing to compare on SQLite, where work is found by polling.'],
  [['--postgres', '--measure'], '--measure needs a number of orders.'],
  [['--postgres', '--measure', '1001'], '--measure is 1001; it takes a whole number from 0 to 1000.'],
  [['--postgres', '--measure=-1'], '--measure is -1; it takes a whole number from 0 to 1000.'],
  [['--postgres', '--measure', '1.5'], '--measure is 1.5; it takes a whole number from 0 to 1000.'],
  [
    ['--postgres', 'mysql://host/db'],
    '--postgres takes a URL such as postgres://user:password@localhost:5432/database, or nothing.',
  ],
  [['--postgres', 'localhost'], '--postgres takes a URL such as postgres://user:password@localhost:5432/database, or nothing.'],
])('refuses %j kindly', (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(new DemoError(message));
});
