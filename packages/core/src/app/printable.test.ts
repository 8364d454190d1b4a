// What people see of a view in a log.
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { printable } from './printable.js';

test('a view is printed with what its getters give', () => {
  const view = printable({
    id: 'one',
    get input() {
      return { sku: 'lamp' };
    },
  });
  expect(inspect(view)).toBe("{ id: 'one', input: { sku: 'lamp' } }");
  expect(Object.keys(view)).toEqual(['id', 'input']);
  expect(JSON.stringify(view)).toBe('{"id":"one","input":{"sku":"lamp"}}');
  expect(Object.isFrozen(view)).toBe(true);
});

test('what cannot be decoded is told in its place', () => {
  const view = printable({
    id: 'one',
    get input(): unknown {
      throw new Error('written by a newer version');
    },
  });
  expect(inspect(view)).toMatch(/^\{\s+id: 'one',\s+input: Error: written by a newer version/);
});
