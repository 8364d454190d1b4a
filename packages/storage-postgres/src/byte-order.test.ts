// The order of texts: that of their bytes, whatever JavaScript makes of them.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byBytes } from './byte-order.js';

it('puts what lies beyond U+FFFF behind all that lies below', () => {
  expect(['\u{1f600}', '\uffee', 'z', '\ue000'].sort(byBytes)).toEqual(['z', '\ue000', '\uffee', '\u{1f600}']);
});

it('is the order of the bytes', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}') });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(byBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
