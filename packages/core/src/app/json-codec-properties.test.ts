// What holds for every value, with values of all kinds made up at random.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createJsonCodec } from './json-codec.js';
import { plainJsonText } from './json-codec-plain.js';

type ErrorLike = new (message?: string, options?: ErrorOptions) => Error;

class Known extends Error {
  readonly code = 'KNOWN';
}
class KnownByName extends TypeError {}
class Unknown extends Error {}

const codec = createJsonCodec({ errors: [Known, { name: 'by-name', errorClass: KnownByName }] });
const runs = { numRuns: 400 };

/** All UTF-16 strings, also those that no database takes, and those that look like the codec's own. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  {
    weight: 2,
    arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\0', '\ud83d', '\\u0000', '$romancy', '$$romancy', '$romancy":', '\u2028', '\n', '"'),
  },
);
// No `constructor`: toStrictEqual takes a member of that name for the class.
const key = fc.oneof(
  { weight: 4, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'toJSON', 'length', '0', '10', 'value', 'then', '$$$romancy'),
  },
);
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** 53),
);
const bytes = fc.uint8Array({ maxLength: 16 });
const scalar = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.bigInt(),
  fc.constantFrom(null, undefined),
  fc.date({ noInvalidDate: false }),
  bytes,
  fc.float64Array({ maxLength: 3 }),
  fc.int16Array({ maxLength: 3 }),
  bytes.map((content) => content.slice().buffer),
  fc.webUrl().map((url) => new URL(url)),
  fc
    .tuple(fc.constantFrom('a', '\\d+', '[/"]', '\n', ''), fc.constantFrom('', 'g', 'iu', 'y'))
    .map(([source, flags]) => new RegExp(source, flags)),
);

function objectOf(members: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [name, value] of members) {
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return object;
}

function errorOf([errorClass, message, cause, fields]: readonly [ErrorLike, string, unknown, object]): Error {
  const error = new errorClass(message, cause === undefined ? undefined : { cause });
  // These are no fields: where an error has them, it has them in a way of its own.
  const { stack: _stack, message: _message, cause: _cause, ...rest } = fields as Record<string, unknown>;
  for (const [name, value] of Object.entries(rest)) {
    // toStrictEqual takes two names for equal only when they are one and the same.
    if (name === 'name' && typeof value !== 'string') continue;
    Object.defineProperty(error, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return error;
}

function values(errorClasses: readonly ErrorLike[]): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown }>((tie) => {
    const inner = tie('value');
    const record = fc.array(fc.tuple(key, inner), { maxLength: 5 }).map(objectOf);
    return {
      value: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'value' },
        scalar,
        record,
        fc.array(inner, { maxLength: 5 }),
        fc.array(fc.tuple(inner, inner), { maxLength: 3 }).map((entries) => new Map(entries)),
        fc.array(inner, { maxLength: 3 }).map((items) => new Set(items)),
        fc.tuple(fc.constantFrom(...errorClasses), text, inner, record).map(errorOf),
        fc.tuple(fc.array(inner, { maxLength: 2 }), text).map(([errors, message]) => new AggregateError(errors, message)),
      ),
    };
  });
  return value;
}

const restorable = values([Error, RangeError, Known, KnownByName]);
const anything = values([Error, Known, Unknown]);

test('every value comes back equal', () => {
  fc.assert(
    fc.property(restorable, (value) => {
      expect(codec.decode(codec.encode(value))).toStrictEqual(value);
    }),
    runs,
  );
});

test('what was read is written the same again, also with unknown classes and when the reader knows fewer', () => {
  const knowingLess = createJsonCodec();
  fc.assert(
    fc.property(anything, (value) => {
      const written = codec.encode(value);
      expect(codec.encode(codec.decode(written))).toBe(written);
      expect(knowingLess.encode(knowingLess.decode(written))).toBe(written);
    }),
    runs,
  );
});

test('a text is JSON in one line, without what jsonb refuses, and not too deep for SQLite', () => {
  fc.assert(
    fc.property(anything, (value) => {
      const written = codec.encode(value);
      JSON.parse(written);
      expect(written).not.toMatch(/\n|\p{Surrogate}/u);
      expect(written.includes('\0')).toBe(false);
      // An escape counts only when its backslash is not escaped itself.
      expect(written.replaceAll('\\\\', '')).not.toMatch(/\\u(?:0000|[dD][89a-fA-F])/);
    }),
    runs,
  );
});

describe('plain JSON', () => {
  const clean = fc.string({ unit: 'grapheme' });
  // -0 is none: JSON.stringify makes 0 of it.
  const plain = fc.jsonValue({ stringUnit: 'grapheme' }).map((value): unknown => JSON.parse(JSON.stringify(value)));

  test('is written as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(plain, clean, (value, name) => {
        const object = objectOf([[name, value]]);
        const expected = JSON.stringify(object);
        fc.pre(!expected.includes('\\u') && !expected.includes('$romancy'));
        expect(codec.encode(object)).toBe(expected);
        expect(codec.decode(expected)).toStrictEqual(object);
      }),
      runs,
    );
  });

  test('is taken by the fast path, and nothing else is', () => {
    fc.assert(
      fc.property(restorable, (value) => {
        const fast = plainJsonText(value);
        if (fast === undefined) return;
        expect(fast).not.toContain('$romancy":');
        expect(JSON.parse(fast)).toStrictEqual(value);
      }),
      runs,
    );
  });
});
