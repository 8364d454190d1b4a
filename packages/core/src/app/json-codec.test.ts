// The default codec: what comes back, what the stored text looks like, and what PostgreSQL and SQLite require of it.
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { createJsonCodec } from './json-codec.js';

const codec = createJsonCodec();

function again(value: unknown): unknown {
  return codec.decode(codec.encode(value));
}

const invalidDate = new Date(Number.NaN);
const nul = '\0';
const stateful = /a/g;
stateful.lastIndex = 3;

/** A name, the value, and its stored text. */
const cases: readonly (readonly [string, unknown, string])[] = [
  ['null', null, 'null'],
  ['a boolean', true, 'true'],
  ['a number', 1.5, '1.5'],
  ['a large number', 1e300, '1e+300'],
  ['a string', 'a"b\\c\n€😀\u2028', JSON.stringify('a"b\\c\n€😀\u2028')],
  ['an empty object', {}, '{}'],
  ['an empty array', [], '[]'],
  ['members in their order', { b: 1, a: [{ z: null, y: 'x' }] }, '{"b":1,"a":[{"z":null,"y":"x"}]}'],
  ['undefined', undefined, '{"$romancy":"undefined"}'],
  ['undefined in an object', { a: undefined }, '{"a":{"$romancy":"undefined"}}'],
  ['undefined in an array', [undefined, 1], '[{"$romancy":"undefined"},1]'],
  ['NaN', Number.NaN, '{"$romancy":"number","value":"NaN"}'],
  ['Infinity', Number.POSITIVE_INFINITY, '{"$romancy":"number","value":"Infinity"}'],
  ['-Infinity', [Number.NEGATIVE_INFINITY], '[{"$romancy":"number","value":"-Infinity"}]'],
  ['-0', { a: -0 }, '{"a":{"$romancy":"number","value":"-0"}}'],
  ['a bigint', -12345678901234567890n, '{"$romancy":"bigint","value":"-12345678901234567890"}'],
  ['a date', new Date(1_769_850_000_000), '{"$romancy":"Date","value":"2026-01-31T09:00:00.000Z"}'],
  ['the first date', new Date(-8.64e15), '{"$romancy":"Date","value":"-271821-04-20T00:00:00.000Z"}'],
  ['the last date', new Date(8.64e15), '{"$romancy":"Date","value":"+275760-09-13T00:00:00.000Z"}'],
  ['an invalid date', invalidDate, '{"$romancy":"Date","value":null}'],
  [
    'a map',
    new Map<unknown, unknown>([
      ['a', 1],
      [{ k: 1n }, new Map()],
    ]),
    '{"$romancy":"Map","value":[["a",1],[{"k":{"$romancy":"bigint","value":"1"}},{"$romancy":"Map","value":[]}]]}',
  ],
  ['a set', new Set([1, 'a', undefined]), '{"$romancy":"Set","value":[1,"a",{"$romancy":"undefined"}]}'],
  ['bytes', new Uint8Array([0, 1, 254, 255]), '{"$romancy":"Uint8Array","value":"AAH+/w=="}'],
  ['no bytes', new Uint8Array(), '{"$romancy":"Uint8Array","value":""}'],
  ['16-bit integers', new Uint16Array([1, 515]), '{"$romancy":"Uint16Array","value":"AQADAg=="}'],
  ['floats', new Float64Array([-0, Number.NaN, 1.5]), '{"$romancy":"Float64Array","value":"AAAAAAAAAIAAAAAAAAD4fwAAAAAAAPg/"}'],
  ['64-bit integers', new BigInt64Array([-1n]), '{"$romancy":"BigInt64Array","value":"//////////8="}'],
  ['clamped bytes', new Uint8ClampedArray([7]), '{"$romancy":"Uint8ClampedArray","value":"Bw=="}'],
  ['an ArrayBuffer', new Uint8Array([1, 2]).buffer, '{"$romancy":"ArrayBuffer","value":"AQI="}'],
  ['a DataView', new DataView(new Uint8Array([1, 2, 3]).buffer, 1), '{"$romancy":"DataView","value":"AgM="}'],
  ['a pattern', /a\/"b"/giu, '{"$romancy":"RegExp","value":"a\\\\/\\"b\\"","flags":"giu"}'],
  ['a pattern in use', stateful, '{"$romancy":"RegExp","value":"a","flags":"g","lastIndex":3}'],
  ['a URL', new URL('https://u:p@example.com/a?b=c#d'), '{"$romancy":"URL","value":"https://u:p@example.com/a?b=c#d"}'],
  ['U+0000', 'a\0', '{"$romancy":"string","value":"YQAAAA=="}'],
  ['half a surrogate pair', { a: '\ud83d' }, '{"a":{"$romancy":"string","value":"Pdg="}}'],
  ['the other half', ['\ude00x'], '[{"$romancy":"string","value":"AN54AA=="}]'],
  [
    'U+0000 in a key',
    { a: 1, 'b\0': 2n },
    '{"$romancy":"object","value":[["a",1],[{"$romancy":"string","value":"YgAAAA=="},{"$romancy":"bigint","value":"2"}]]}',
  ],
  ['a pattern with U+0000', new RegExp(nul), '{"$romancy":"RegExp","value":{"$romancy":"string","value":"AAA="},"flags":""}'],
  ['the tag as a key', { $romancy: 'Date', value: 'x' }, '{"$$romancy":"Date","value":"x"}'],
  ['the escaped tag as a key', { a: 1, $$romancy: { $romancy: 1 } }, '{"a":1,"$$$romancy":{"$$romancy":1}}'],
  ['keys near the tag', { romancy: 1, $Romancy: 2, x$romancy: 3 }, '{"romancy":1,"$Romancy":2,"x$romancy":3}'],
  ['the tag in a string', '{"$romancy":"Date"}', JSON.stringify('{"$romancy":"Date"}')],
  ['a literal backslash', '\\u0000 \\ud800', '"\\\\u0000 \\\\ud800"'],
  ['control characters', '\u0001\u001f', '"\\u0001\\u001f"'],
];

describe('every kind of value comes back equal, from a text that says what it is', () => {
  test.each(cases)('%s', (_name, value, text) => {
    expect(codec.encode(value)).toBe(text);
    expect(codec.decode(text)).toStrictEqual(value);
  });

  test.each(cases)('%s, in the middle of others', (_name, value) => {
    const inside = { first: [value, 'x'], map: new Map([[value, { value }]]), set: new Set([value]), last: [[value]] };
    expect(again(inside)).toStrictEqual(inside);
  });
});

test('a Buffer comes back as bytes over memory of its own', () => {
  const back = again(Buffer.from('abc')) as Uint8Array;
  expect(Object.getPrototypeOf(back)).toBe(Uint8Array.prototype);
  expect([...back]).toEqual([97, 98, 99]);
  expect(back.buffer.byteLength).toBe(3);
});

test('a view of a part of a buffer is that part', () => {
  const whole = new Int32Array([1, 2, 3, 4]);
  expect(again(whole.subarray(1, 3))).toStrictEqual(new Int32Array([2, 3]));
});

test('a hole becomes undefined, an object without prototype one with it, a second reference a second value', () => {
  const shared = { a: 1n };
  const bare = Object.assign(Object.create(null) as object, { a: 1, b: shared, c: shared });
  // eslint-disable-next-line no-sparse-arrays -- the hole is what is tested
  expect(again([1, , 2])).toStrictEqual([1, undefined, 2]);
  const back = again(bare) as { b: object; c: object };
  expect(back).toStrictEqual({ a: 1, b: { a: 1n }, c: { a: 1n } });
  expect(back.b).not.toBe(back.c);
});

test('a __proto__ member is a member and changes no prototype', () => {
  for (const text of ['{"__proto__":{"polluted":true}}', '{"__proto__":{"polluted":{"$romancy":"undefined"}},"a":1}']) {
    const value = JSON.parse(text.replace('{"$romancy":"undefined"}', 'null')) as object;
    expect(codec.encode(value)).toBe(JSON.stringify(value));
    const back = codec.decode(text) as Record<string, unknown>;
    expect(Object.hasOwn(back, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(codec.encode(back)).toBe(text);
  }
  const escaped = JSON.parse('{"__proto__":1,"$romancy":2,"b\\u0000":3}') as object;
  expect(Object.keys(again(escaped) as object)).toEqual(['__proto__', '$romancy', 'b\0']);
  expect((again({ a: 1n }) as { polluted?: unknown }).polluted).toBeUndefined();
});

test('getters are read once and written as what they give', () => {
  let reads = 0;
  const value = Object.defineProperty({ date: new Date(0) }, 'counted', { enumerable: true, get: () => ++reads });
  reads = -1;
  expect(codec.decode(codec.encode(value))).toMatchObject({ counted: reads });
});

test('non-enumerable members are left out, and a toJSON that is one is not called', () => {
  const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'lost' });
  expect(again(hidden)).toStrictEqual({ a: 1 });
  expect(again([hidden])).toStrictEqual([{ a: 1 }]);
});

test('values of another realm come back as ones of this realm', () => {
  const foreign: unknown = runInNewContext(
    `({ list: [1, { a: undefined }], map: new Map([[1, new Set([2])]]), date: new Date(0), pattern: /a/g, bytes: new Uint8Array([1]),
        floats: new Float32Array([1.5]), buffer: new ArrayBuffer(2), error: new TypeError('wrong') })`,
  );
  const back = again(foreign) as { error: Error };
  expect(back).toStrictEqual({
    list: [1, { a: undefined }],
    map: new Map([[1, new Set([2])]]),
    date: new Date(0),
    pattern: /a/g,
    bytes: new Uint8Array([1]),
    floats: new Float32Array([1.5]),
    buffer: new ArrayBuffer(2),
    error: new TypeError('wrong'),
  });
  expect(back.error).toBeInstanceOf(TypeError);
});

describe('size and depth', () => {
  function nested(levels: number, innermost: unknown, wrap: (inner: unknown) => unknown): unknown {
    let value = innermost;
    for (let level = 0; level < levels; level++) value = wrap(value);
    return value;
  }

  test.each([
    ['objects', (inner: unknown) => ({ a: inner }), 1],
    ['arrays', (inner: unknown) => [inner], 1],
    ['sets', (inner: unknown) => new Set([inner]), 2],
    ['maps', (inner: unknown) => new Map([[0, inner]]), 3],
  ])('%s go 1,000 levels of JSON deep and no further', (_name, wrap, levels) => {
    const most = Math.floor(1000 / levels);
    const deepest = nested(most, 0, wrap);
    expect(codec.encode(again(deepest))).toBe(codec.encode(deepest));
    for (const [count, innermost] of [
      [most + 1, 0] as const,
      [10_000, 0] as const,
      [most, Array.from({ length: 3 }, () => [1n])] as const,
    ]) {
      expect(() => codec.encode(nested(count, innermost, wrap))).toThrow(
        expect.objectContaining({
          code: 'PAYLOAD_NOT_SERIALIZABLE',
          message: expect.stringContaining('1000 levels') as string,
        }) as Error,
      );
    }
  });

  test.each([undefined, -0, 1n, '\0', new Date(0), new RegExp(nul), new Error('e'), { '\0': 1n }, new Map([['\0', '\0']])])(
    'what a tag adds is counted: %o',
    (value) => {
      const depth = (text: string): number => {
        let [level, deepest] = [0, 0];
        for (const character of text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')) {
          if (character === '{' || character === '[') deepest = Math.max(deepest, ++level);
          if (character === '}' || character === ']') level--;
        }
        return deepest;
      };
      let accepted = 0;
      for (let levels = 990; levels <= 1000; levels++) {
        let text: string;
        try {
          text = codec.encode(nested(levels, value, (inner) => [inner]));
        } catch (error) {
          expect(error).toMatchObject({ code: 'PAYLOAD_NOT_SERIALIZABLE' });
          continue;
        }
        accepted++;
        expect(depth(text)).toBeLessThanOrEqual(1000);
      }
      expect(accepted).toBeGreaterThan(0);
    },
  );

  test('a megabyte of text and a list of a hundred thousand come back', () => {
    const large = {
      text: 'é😀x'.repeat(300_000),
      numbers: Array.from({ length: 100_000 }, (_, index) => index),
      when: new Date(0),
    };
    expect(again(large)).toStrictEqual(large);
  });
});
