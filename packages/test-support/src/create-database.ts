// Gives a test a PostgreSQL database of its own and drops it afterwards.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type {} from './provided-context.js';
import { afterwards } from './afterwards.js';

export interface TestDatabase {
  /** Connection string to the empty database. */
  readonly url: string;
  readonly name: string;
  /** Drops the database and cuts who is still connected. Happens by itself after the test or file; may be called twice. */
  drop(): Promise<void>;
}

/**
 * A fresh, empty database on the server of this test run. It is dropped when the test ends that asked for it, or the file when it was
 * asked for outside of a test (in `beforeAll`, at the top).
 */
export async function createDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `romancy_test_${inject('postgresRunId')}_${randomBytes(6).toString('hex')}`;
  await administer(server, async (client) => {
    // template0, because nobody can be connected to it: template1 with a session on it could not be copied.
    await client.query(`create database ${name} template template0`);
  });
  const url = new URL(server);
  url.pathname = `/${name}`;
  const drop = () => administer(server, (client) => dropDatabase(client, name));
  afterwards(drop);
  return { url: url.href, name, drop };
}

/** Part of the names of one run's databases. */
export function newRunId(): string {
  return randomBytes(4).toString('hex');
}

/** Drops what tests of a run that were cut short have left. */
export async function dropDatabasesOf(runId: string, server: string): Promise<void> {
  await administer(server, async (client) => {
    const found = await client.query<{ datname: string }>(`select datname from pg_database where datname like $1`, [
      `romancy\\_test\\_${runId}\\_%`,
    ]);
    for (const { datname } of found.rows) await dropDatabase(client, datname);
  });
}

async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${name} with (force)`);
}

async function administer(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
