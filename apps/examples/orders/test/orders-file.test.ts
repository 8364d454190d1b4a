// Shows which lines become orders, and what is said of the others.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { catalogue } from '../src/catalogue.js';
import { readOrders } from '../src/orders-file.js';

const ada = { id: 'A-1', customer: 'Ada Lovelace', sku: 'teapot', quantity: 2, card: 'visa-4242' };

function line(changes: object = {}): string {
  return JSON.stringify({ ...ada, ...changes });
}

it('reads an order from each line, whatever the lines end with, and takes blank ones for nothing', () => {
  const text = `\uFEFF${line()}\r\n\n   \n${line({ id: 'A-2', customer: '村井純 🫖\u2028' })}`;
  expect(readOrders(text)).toEqual({
    orders: [ada, { ...ada, id: 'A-2', customer: '村井純 🫖\u2028' }],
    badLines: [],
  });
});

it('keeps nothing of an order but what belongs to it', () => {
  expect(readOrders(line({ discount: 100 })).orders).toEqual([ada]);
});

it.each([
  ['{"id": "A-1"', '{"id": "A-1" is no JSON'],
  ['[1, 2]', '[1,2] is no JSON object'],
  ['null', 'null is no JSON object'],
  [line({ quantity: 0 }), 'quantity is 0; it takes a whole number from 1 to 1000'],
  [line({ quantity: 1001 }), 'quantity is 1001; it takes a whole number from 1 to 1000'],
  [line({ quantity: 1.5 }), 'quantity is 1.5; it takes a whole number from 1 to 1000'],
  [line({ quantity: '2' }), 'quantity is "2"; it takes a whole number from 1 to 1000'],
  [line({ quantity: undefined }), 'quantity is missing; it takes a whole number from 1 to 1000'],
  [line({ id: '' }), 'id is ""; it takes 1 to 100 characters of text'],
  [line({ id: 7 }), 'id is 7; it takes 1 to 100 characters of text'],
  [line({ sku: undefined }), 'sku is missing; it takes 1 to 100 characters of text'],
  [line({ card: 'a\u0000b' }), 'card is "a\\u0000b"; it takes 1 to 100 characters of text'],
  [line({ customer: '\ud800' }), 'customer is "\\ud800"; it takes 1 to 100 characters of text'],
  [line({ customer: 'x'.repeat(101) }), `customer is "${'x'.repeat(39)}…; it takes 1 to 100 characters of text`],
])('leaves out %s with its number and the reason', (bad, problem) => {
  const { orders, badLines } = readOrders(`${line({ id: 'first' })}\n${bad}\n${line({ id: 'last' })}\n`);
  expect(badLines).toEqual([{ number: 2, problem }]);
  expect(orders.map(({ id }) => id)).toEqual(['first', 'last']);
});

it('takes the first of two orders with one id', () => {
  const { orders, badLines } = readOrders([line(), line({ id: 'A-2' }), line({ quantity: 9 })].join('\n'));
  expect(orders).toEqual([ada, { ...ada, id: 'A-2' }]);
  expect(badLines).toEqual([{ number: 3, problem: 'order "A-1" was on line 1 already' }]);
});

it('finds 200 good orders of known articles in the sample', async () => {
  const { orders, badLines } = readOrders(await readFile(new URL('../sample/orders.jsonl', import.meta.url), 'utf8'));
  expect(badLines).toEqual([]);
  expect(orders).toHaveLength(200);
  const known = new Set(catalogue.map(({ sku }) => sku));
  expect(orders.filter(({ sku }) => !known.has(sku))).toEqual([]);
});
