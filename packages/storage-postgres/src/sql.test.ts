// Pieces become one text with numbered parameters, and nothing of a user gets into the text unquoted.
import { expect, it } from 'vitest';
import { identifier, joined, raw, sql } from './sql.js';

it('numbers the parameters of all pieces in order', () => {
  const inner = sql`b = ${2} AND c = ${'x'}`;
  const whole = sql`SELECT ${1} WHERE ${inner} LIMIT ${raw('10')}${raw('')} OFFSET ${null}`;
  expect(whole.text).toBe('SELECT $1 WHERE b = $2 AND c = $3 LIMIT 10 OFFSET $4');
  expect(whole.values).toEqual([1, 2, 'x', null]);
});

it('joins pieces', () => {
  const whole = joined([sql`a = ${1}`, raw('true'), sql`${[2, 3]} = b`], ' AND ');
  expect(whole.text).toBe('a = $1 AND true AND $2 = b');
  expect(whole.values).toEqual([1, [2, 3]]);
  expect(joined([], ', ').text).toBe('');
});

it('quotes names', () => {
  expect(identifier('a "b" c')).toBe('"a ""b"" c"');
});
