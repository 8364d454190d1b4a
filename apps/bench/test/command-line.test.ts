// What the command line takes and refuses.
import { expect, test } from 'vitest';
import { parseCommandLine } from '../src/command-line.js';

const names = ['throughput', 'idle'];

test('nothing said: everything, in full', () => {
  expect(parseCommandLine([], names)).toEqual({
    quick: false,
    only: undefined,
    storages: ['postgres', 'sqlite'],
    postgres: undefined,
    directory: undefined,
    json: undefined,
    assert: false,
  });
});

test('lists of names', () => {
  const { only, storages, quick } = parseCommandLine(['--quick', '--only', 'idle, throughput', '--storage=sqlite'], names);
  expect({ only, storages, quick }).toEqual({ only: ['idle', 'throughput'], storages: ['sqlite'], quick: true });
});

test.each([
  [['--only', 'speed'], '--only takes throughput, idle; "speed" is none of them'],
  [['--storage', 'mysql'], '--storage takes postgres, sqlite; "mysql" is none of them'],
  [['--fast'], "Unknown option '--fast'"],
  [['idle'], "Unexpected argument 'idle'"],
])('%j is refused', (args, message) => {
  expect(() => parseCommandLine(args, names)).toThrow(message);
});
