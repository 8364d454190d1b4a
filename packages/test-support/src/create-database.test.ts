// Shows that every test gets a database of its own, which is gone afterwards.
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { afterwards } from './afterwards.js';
import { createDatabase, dropDatabasesOf, newRunId, type TestDatabase } from './create-database.js';

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

it('drops what a run has left, and nothing of others', async () => {
  const runId = newRunId();
  const [left, others] = [`romancy_test_${runId}_left`, `romancy_test_${runId}xleft`];
  for (const name of [left, others]) {
    await administer(`create database ${name}`);
    afterwards(async () => void (await administer(`drop database if exists ${name}`)));
  }
  await dropDatabasesOf(runId, inject('postgresUrl'));
  expect([await exists({ name: left }), await exists({ name: others }), await exists(ofFile)]).toEqual([false, true, true]);
});

afterAll(async () => {
  expect(await exists(ofFile)).toBe(true);
});

function last(results: pg.QueryResult | pg.QueryResult[]): pg.QueryResult {
  const result = Array.isArray(results) ? results.at(-1) : results;
  if (result === undefined) throw new Error('No result');
  return result;
}

async function exists({ name }: Pick<TestDatabase, 'name'>): Promise<boolean> {
  return (await administer(`select from pg_database where datname = '${name}'`)).rowCount === 1;
}

async function administer(text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}
