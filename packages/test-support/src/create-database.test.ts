// Shows that every test gets a database of its own, which is gone afterwards.
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createDatabase, dropDatabasesOf, type TestDatabase } from './create-database.js';

let ofFile: TestDatabase;
let ofTest: TestDatabase;

beforeAll(async () => {
  ofFile = await createDatabase();
});

it('makes an empty database that can be written to', async () => {
  ofTest = await createDatabase();
  const client = new pg.Client({ connectionString: ofTest.url });
  await client.connect();
  const { rows } = await client
    .query('create table t (n int); insert into t values (1); select current_database() as name')
    .then(last);
  expect(rows).toEqual([{ name: ofTest.name }]);
  await client.end();
});

it('has dropped the database of a finished test, and not the one of the file', async () => {
  expect(await exists(ofTest)).toBe(false);
  expect(await exists(ofFile)).toBe(true);
});

it('drops a database that is in use, and twice', async () => {
  const database = await createDatabase();
  const client = new pg.Client({ connectionString: database.url });
  const cut = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  await database.drop();
  await database.drop();
  expect(await exists(database)).toBe(false);
  await cut;
});

it('finds what a run has left', async () => {
  const database = await createDatabase();
  await dropDatabasesOf('another', inject('postgresUrl'));
  expect(await exists(database)).toBe(true);
  await dropDatabasesOf(database.name.split('_').at(-1) ?? '', inject('postgresUrl'));
  expect(await exists(database)).toBe(true);
});

afterAll(async () => {
  expect(await exists(ofFile)).toBe(true);
});

function last(results: pg.QueryResult | pg.QueryResult[]): pg.QueryResult {
  const result = Array.isArray(results) ? results.at(-1) : results;
  if (result === undefined) throw new Error('No result');
  return result;
}

async function exists(database: TestDatabase): Promise<boolean> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  const { rowCount } = await client.query('select from pg_database where datname = $1', [database.name]);
  await client.end();
  return rowCount === 1;
}
