// From the command line to a database and the folder that belongs to it.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { DemoError, type DemoOptions } from './command-line.js';
import { openDataFolder, type DataFolder } from './data-folder.js';
import type { DatabaseChoice } from './database.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { shownPath } from './shown-path.js';

export interface ChosenDatabase {
  readonly choice: DatabaseChoice;
  readonly folder: DataFolder;
  /** For the eyes of the user; without a password. */
  readonly description: string;
  readonly close: () => Promise<void>;
}

/** In PostgreSQL everything of this example lives in a schema of its own, and what is only measured in another. */
const postgresSchema = 'romancy_orders';
const measuringSchema = 'romancy_orders_measured';

/** Everything of one database is in a folder of its own; what is there of an earlier start is removed when a fresh one is wanted. */
export async function chooseDatabase({ postgres, data, fresh }: DemoOptions): Promise<ChosenDatabase> {
  const folder = await openDataFolder(join(data, folderName(postgres)));
  try {
    if (fresh) await folder.clear();
    if (postgres === undefined) {
      const filename = folder.file('orders.db');
      const description = `SQLite, ${shownPath(filename)}`;
      return { choice: { kind: 'sqlite', filename }, folder, description, close: async () => folder.close() };
    }
    const server = postgres === 'embedded' ? await startEmbeddedPostgres(folder.file('server')) : undefined;
    const url = server?.url ?? postgres;
    const { host, pathname } = new URL(url);
    const close = async (): Promise<void> => {
      await server?.stop();
      folder.close();
    };
    const description = `PostgreSQL, ${server === undefined ? `${host}${pathname}` : `a server of its own on ${host}`}, schema ${postgresSchema}, with @romancy/notify-pg`;
    await reach(url, { fresh }).catch(async (error: unknown) => {
      await server?.stop();
      throw new DemoError(`The database ${host}${pathname} cannot be used: ${reasonOf(error)}`);
    });
    return { choice: { kind: 'postgres', url, schema: postgresSchema, notify: true }, folder, description, close };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Each server has a folder, for the payment service's charges belong to the orders that are there and to no others. */
function folderName(postgres: string | undefined): string {
  if (postgres === undefined) return 'sqlite';
  if (postgres === 'embedded') return 'postgres';
  const { host, pathname } = new URL(postgres);
  return `postgres-${createHash('sha256').update(`${host}${pathname}`).digest('hex').slice(0, 8)}`;
}

/** Sees whether the database answers, before anything waits for it. */
async function reach(connectionString: string, { fresh }: { readonly fresh: boolean }): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    if (fresh) await client.query(`drop schema if exists ${postgresSchema} cascade`);
  } finally {
    await client.end();
  }
}

/** The same database with nothing in it, for orders that are there to be measured only. */
export async function emptyDatabase(url: string, { notify }: { readonly notify: boolean }): Promise<DatabaseChoice> {
  await dropMeasured(url);
  return { kind: 'postgres', url, schema: measuringSchema, notify };
}

export async function dropMeasured(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`set client_min_messages = warning; drop schema if exists ${measuringSchema} cascade`);
  } finally {
    await client.end();
  }
}

/** Where a name has several addresses, the reasons of all are inside of an error without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
