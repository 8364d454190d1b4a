// Names and ids: what databases and logs can hold passes, the rest is refused.
import { expect, test } from 'vitest';
import { InvalidArgumentError } from './errors.js';
import { checkName, longestName, numberedCallId } from './ids.js';

test('the id of a call is its name and its number', () => {
  expect(numberedCallId('charge', 1)).toBe('charge:1');
  expect(numberedCallId('charge', 12)).toBe('charge:12');
});

test.each(['a', 'order-42', 'Bestellung/2026 №7', '注文', '😀', 'a\u00a0b', ' ', 'x'.repeat(longestName), '😀'.repeat(127)])(
  '%j passes',
  (name) => {
    expect(() => checkName(name, 'instanceId')).not.toThrow();
  },
);

test.each<[unknown, string]>([
  ['', '""'],
  ['x'.repeat(longestName + 1), `"${'x'.repeat(80)}…"`],
  ['😀'.repeat(128), '…"'],
  ['a\0', '"a\\u0000"'],
  ['a\nb', '"a\\nb"'],
  ['\u007f', '"\u007f"'],
  ['a\u0085b', '"a\u0085b"'],
  ['\ud83d', '"\\ud83d"'],
  ['a\ude00', '"a\\ude00"'],
  [undefined, 'undefined'],
  [null, 'object'],
  [42, 'number'],
])('%j is refused', (name, shown) => {
  let refused: unknown;
  try {
    checkName(name, 'instanceId');
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(InvalidArgumentError);
  expect(refused).toMatchObject({ argument: 'instanceId', code: 'INVALID_ARGUMENT' });
  expect((refused as Error).message).toContain(`instanceId is `);
  expect((refused as Error).message).toContain(`${shown}; it takes 1 to 255 characters`);
});
