// What is written as a list is read as the same list, by PostgreSQL itself.
import { createDatabase } from '@romancy/test-support';
import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { arrayLiteral, type ArrayItem } from '../src/array-literal.js';

async function readBack(items: readonly ArrayItem[], type: string): Promise<unknown> {
  const { rows } = await client.query<{ items: unknown }>(`SELECT to_json($1::${type}[]) AS items`, [
    arrayLiteral(items, (item) => item),
  ]);
  return rows[0]!.items;
}

const { url } = await createDatabase();
const client = new pg.Client({ connectionString: url });

test('texts of any kind come back as they were', async () => {
  await client.connect();
  try {
    const odd = [
      '',
      ' ',
      'NULL',
      'null',
      '{',
      '}',
      ',',
      '"',
      '\\',
      '\\"',
      "'",
      '{"a":"b\\"c"}',
      'a\nb\tc',
      '注文 😀',
      '\u0001',
      '"\n',
      '"😀',
      '"\u2028\u007f',
      '\\n',
    ];
    expect(await readBack(odd, 'text')).toEqual(odd);
    for (const one of odd) expect(await readBack([one, null], 'text')).toEqual([one, null]);
    const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !/[\0\p{Cs}]/u.test(value));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text), { maxLength: 8 }), async (items) => {
        expect(await readBack(items, 'text')).toEqual(items);
      }),
      { numRuns: 300 },
    );
    expect(await readBack([1, -2, null, 3.25, 1e21], 'float8')).toEqual([1, -2, null, 3.25, 1e21]);
    expect(await readBack([0, 2 ** 31 - 1, null], 'integer')).toEqual([0, 2 ** 31 - 1, null]);
    const { rows } = await client.query<{ readonly each: unknown }>('SELECT $1::bigint[]::text[] AS each', [
      arrayLiteral(['9007199254740993', null], (item) => item),
    ]);
    expect(rows[0]!.each).toEqual(['9007199254740993', null]);
    expect(await readBack([true, false, null], 'boolean')).toEqual([true, false, null]);
    expect(await readBack([], 'text')).toEqual([]);
  } finally {
    await client.end();
  }
});
