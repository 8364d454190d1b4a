// Names and ids: what databases and logs can hold passes, the rest is refused.
import { expect, test } from 'vitest';
import { InvalidArgumentError } from './errors.js';
import { checkName, longestName, numberedCallId, timeOrderedUuid } from './ids.js';

test('the id of a call is its name and its number', () => {
  expect(numberedCallId('charge', 1)).toBe('charge:1');
  expect(numberedCallId('charge', 12)).toBe('charge:12');
});

test('a time-ordered id is a UUID of version 7 that begins with its time', () => {
  // The example of RFC 9562, appendix A.6.
  expect(timeOrderedUuid(Date.UTC(2022, 1, 22, 19, 22, 22), '00000000-0000-4cc3-98c4-dc0c0c07398f')).toBe(
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  );
  const random = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
  const times = [0, 1, 0xffff, 0x10000, 1_700_000_000_000.7, 2 ** 48 - 1];
  const ids = times.map((time) => timeOrderedUuid(time, random));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7fff-bfff-f{12}$/);
  expect(ids).toEqual([...ids].sort());
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
