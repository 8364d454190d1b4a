// Reading of stored texts: those that a database put into another form, and those that nobody can read.
import { describe, expect, test } from 'vitest';
import { PayloadNotSerializableError } from '../domain/errors.js';
import { createJsonCodec } from './json-codec.js';

const codec = createJsonCodec();

/** What PostgreSQL's jsonb makes of a text: members ordered by the length of their key, spaces after colons and commas. */
function throughJsonb(node: unknown): string {
  if (typeof node !== 'object' || node === null) return JSON.stringify(node);
  if (Array.isArray(node)) return `[${node.map(throughJsonb).join(', ')}]`;
  const keys = Object.keys(node).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}: ${throughJsonb((node as Record<string, unknown>)[key])}`).join(', ')}}`;
}

test('a text that went through jsonb is read the same', () => {
  const value = {
    when: new Date(0),
    map: new Map<unknown, unknown>([[{ a: 1 }, new Set([1n])]]),
    pattern: /a/g,
    $romancy: undefined,
    'k\0': [-0],
    bytes: new Uint8Array([1]),
    error: Object.assign(new TypeError('m', { cause: 'c' }), { field: Number.NaN }),
  };
  const text = throughJsonb(JSON.parse(codec.encode(value)));
  expect(text).toContain('": "Date"');
  expect(codec.decode(text)).toStrictEqual(value);
});

test('text without tags is plain JSON', () => {
  expect(codec.decode(' {"a": [1, "$romancy"]} ')).toEqual({ a: [1, '$romancy'] });
});

describe('what cannot be read is an error that names the place', () => {
  test.each([
    ['', '$', 'JSON'],
    ['{"a":', '$', 'JSON'],
    ['{"a":[1,{"$romancy":"Later","value":1}]}', '$.a[1]', 'the tag "Later" is unknown; it was written by a newer version'],
    ['{"$romancy":"Temporal.Instant","value":"x"}', '$', 'the tag "Temporal.Instant" is unknown'],
    ['{"$romancy":{"b":1}}', '$', 'the tag {"b":1} is unknown'],
    ['{"$romancy":null}', '$', 'the tag null is unknown'],
    ['{"$romancy":"toString","value":"x"}', '$', 'the tag "toString" is unknown'],
    ['{"$romancy":"number","value":"7"}', '$', '"7" is none of NaN, Infinity, -Infinity, -0'],
    ['{"$romancy":"bigint","value":"1.5"}', '$', 'BigInt'],
    ['{"$romancy":"bigint","value":1}', '$', 'a string is missing'],
    ['{"$romancy":"string"}', '$', 'a string is missing'],
    ['{"$romancy":"Date","value":7}', '$', 'a string is missing'],
    ['{"$romancy":"Map","value":[["a",1],2]}', '$', 'a list is missing'],
    ['{"$romancy":"Set","value":{}}', '$', 'a list is missing'],
    ['{"$romancy":"object","value":[[1,2]]}', '$', 'a string is missing'],
    ['{"$romancy":"RegExp","value":"(","flags":""}', '$', 'Invalid regular expression'],
    ['{"$romancy":"URL","value":"nowhere"}', '$', 'Invalid URL'],
    ['{"$romancy":"Float64Array","value":"AAAA"}', '$', 'multiple of 8'],
    ['{"$romancy":"Map","value":[["k",{"$romancy":"X"}]]}', '$.value[0][1]', 'the tag "X" is unknown'],
  ])('%s', (text, path, message) => {
    let failure: unknown;
    try {
      codec.decode(text);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(PayloadNotSerializableError);
    expect(failure).toMatchObject({ path, message: expect.stringContaining(message) as string });
    expect(failure).toMatchObject({
      message: expect.stringContaining(`a stored payload cannot be read, at ${path}: `) as string,
    });
  });
});

test('an error with members of unexpected kinds is an error all the same', () => {
  const text = '{"$romancy":"Error","class":7,"extends":"x","name":1,"message":{"a":1},"fields":[1],"omitted":[2]}';
  expect(codec.decode(text)).toBeInstanceOf(Error);
  expect(codec.decode('{"$romancy":"Error"}')).toMatchObject({ name: 'Error', message: '', stack: undefined });
});

test('text of any depth is read', () => {
  const text = `${'[{"a":'.repeat(20_000)}{"$romancy":"undefined"}${'}]'.repeat(20_000)}`;
  expect(Array.isArray(codec.decode(text))).toBe(true);
});
