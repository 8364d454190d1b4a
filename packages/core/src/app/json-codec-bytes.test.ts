// Bytes of typed arrays, on machines of either byte order.
import { expect, test } from 'vitest';
import { bytesOfView, swapped, viewOfBytes } from './json-codec-bytes.js';

test('the bytes of each element are turned round where the machine has the high byte first', () => {
  expect([...swapped(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), 4)]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
  expect([...swapped(new Uint8Array([1, 2]), 1)]).toEqual([1, 2]);
  const given = new Uint8Array([1, 2]);
  swapped(given, 2);
  expect([...given]).toEqual([1, 2]);
});

test('the low byte comes first', () => {
  expect([...bytesOfView(new Uint32Array([0x04030201]), 'Uint32Array')]).toEqual([1, 2, 3, 4]);
  expect(viewOfBytes('Uint16Array', Buffer.from([1, 2]))).toEqual(new Uint16Array([0x0201]));
});

test('there is no view of an unknown name', () => {
  expect(viewOfBytes('Float128Array', Buffer.alloc(16))).toBeUndefined();
  expect(viewOfBytes('Array', Buffer.alloc(16))).toBeUndefined();
});
