// A list in the format of the database is read as the same list as the text of it, by PostgreSQL itself.
import { createDatabase } from '@romancy/test-support';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrayBytes, type Column } from '../src/array-bytes.js';
import { ArrayParameter } from '../src/array-parameter.js';

const { url } = await createDatabase();
const client = new pg.Client({ connectionString: url });

beforeAll(() => client.connect());
afterAll(() => client.end());

type Item = string | number | boolean | null;

function columnOf(type: Column<Item>[0]): Column<Item> {
  return [type, (item: Item) => item] as unknown as Column<Item>;
}

/** As bytes, and as the text that drivers are given that send nothing else. */
async function readBack(items: readonly Item[], type: Column<Item>[0]): Promise<unknown> {
  const list = ArrayParameter.of(items, columnOf(type));
  const read = async (value: unknown): Promise<unknown> => {
    const { rows } = await client.query<{ items: unknown }>(
      `SELECT to_json($1::${type}[]::text[]) AS items, array_ndims($1::${type}[]) AS dimensions`,
      [value],
    );
    return rows[0];
  };
  const [bytes, text] = [await read(list.toBytes()), await read(list.toText())];
  expect(bytes).toEqual(text);
  return (bytes as { items: unknown }).items;
}

test('texts of any kind come back as they were', async () => {
  const odd = ['', ' ', 'NULL', '{', '"', '\\', '{"a":"b\\"c"}', 'a\nb\tc', 'é', '注文 😀', '\u0001', '\u007f', '\u0080'];
  const long = odd.map((text) => text.repeat(40));
  expect(await readBack([...odd, ...long], 'text')).toEqual([...odd, ...long]);
  for (const one of [...odd, ...long]) expect(await readBack([null, one, 'a'], 'text')).toEqual([null, one, 'a']);
  const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((value) => !/[\0\p{Cs}]/u.test(value));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text), { maxLength: 8 }), async (items) => {
      expect(await readBack(items, 'text')).toEqual(items);
    }),
    { numRuns: 300 },
  );
});

test('a half of a character is sent as it is in any text', async () => {
  const halves = ['\ud83d', '\ude00', 'a\ud83d', '\ude00\ud83d', '\ud83d'.repeat(30)];
  expect(await readBack(halves, 'text')).toEqual(halves.map((text) => text.replaceAll(/[\ud800-\udfff]/g, '\ufffd')));
});

test('JSON comes back as it was written', async () => {
  const payloads = ['{"b":1,  "a":"\\n"}', '"é"', 'null', '[]', JSON.stringify({ long: 'x'.repeat(10_000) }), null];
  expect(await readBack(payloads, 'json')).toEqual(payloads);
});

test('numbers and truths come back as they were', async () => {
  expect(await readBack([0, 1, -1, 2 ** 31 - 1, -(2 ** 31), null], 'integer')).toEqual([
    ...['0', '1', '-1', '2147483647', '-2147483648'],
    null,
  ]);
  expect(await readBack([0, -2.5, 1e21, 1_763_780_000_123, null], 'float8')).toEqual([
    ...['0', '-2.5', '1e+21', '1763780000123'],
    null,
  ]);
  expect(await readBack(['9007199254740993', '-1', null], 'bigint')).toEqual(['9007199254740993', '-1', null]);
  expect(await readBack([true, false, null], 'boolean')).toEqual(['true', 'false', null]);
});

test('an empty list is one', async () => {
  for (const type of ['text', 'integer', 'boolean', 'bigint', 'float8', 'json'] as const) {
    expect(await readBack([], type)).toEqual([]);
  }
});

test('a number that the type does not have is refused, and not sent as another one', () => {
  for (const value of [1.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => arrayBytes([value], ['integer', (each) => each])).toThrow(RangeError);
  }
});

test('what no text of the database may hold is refused as it is in any text', async () => {
  const refused = async (value: unknown): Promise<unknown> =>
    await client.query('SELECT $1::text[]', [value]).then(
      () => 'taken',
      (error: unknown) => (error as { code?: unknown }).code,
    );
  const list = ArrayParameter.of(['a\0b'], ['text', (item) => item]);
  expect(await refused(list.toBytes())).toBe('22021');
  expect(await refused(list.toText())).toBe('22021');
});
