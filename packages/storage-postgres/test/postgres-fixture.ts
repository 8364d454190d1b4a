// Opens storages for the conformance suite: those of one test in schemas that are emptied after it.
import type { StorageFixture, StorageNeeds } from '@romancy/core/conformance';
import type { Storage } from '@romancy/core/ports';
import type { SharedDatabase, TestSchema } from '@romancy/test-support';
import type { Transaction } from 'kysely';
import pg from 'pg';
import { createPostgresStorage } from '../src/index.js';
import { context } from './storage-context.js';

interface ProbeTables {
  readonly probe: { readonly key: string; readonly value: string };
}

export interface PostgresFixtureParts {
  readonly database: SharedDatabase;
  readonly needs: StorageNeeds | undefined;
  /** Where the storages connect to, each with a pool of its own. Default: the database itself, by sessions that are kept from test to test. */
  readonly through?: string;
}

export async function postgresFixture({ database, needs, through }: PostgresFixtureParts): Promise<StorageFixture> {
  const { url, client: outside, schemas } = database;
  await outside.query(
    'set client_min_messages = warning; create table if not exists probe (key text primary key, value text not null)',
  );
  const taken: TestSchema[] = [];
  const take = (): TestSchema => {
    const schema = schemas.take(needs);
    taken.push(schema);
    return schema;
  };
  const open = async (schema: TestSchema): Promise<Storage> => {
    const source = through === undefined ? { pool: schema.pool(5) } : { connectionString: through, maxConnections: 5 };
    const storage = createPostgresStorage({ ...source, schema: schema.name });
    await storage.open(context);
    return storage;
  };
  const here = take();
  const db = (handle: unknown): Transaction<ProbeTables> => (handle as { readonly db: Transaction<ProbeTables> }).db;
  return {
    open: () => open(here),
    openElsewhere: () => open(take()),
    transactions: {
      async write(handle, key, value) {
        const insert = db(handle).insertInto('probe').values({ key, value });
        await insert.onConflict((conflict) => conflict.column('key').doUpdateSet({ value })).execute();
      },
      async readWithin(handle, key) {
        const row = await db(handle).selectFrom('probe').select('value').where('key', '=', key).executeTakeFirst();
        return row?.value;
      },
      async read(key) {
        const { rows } = await outside.query<{ value: string }>('select value from probe where key = $1', [key]);
        return rows[0]?.value;
      },
      async fail(handle) {
        const { client } = handle as { readonly client: pg.PoolClient };
        await client.query('select 1 / 0').catch(() => undefined);
      },
    },
    async presence() {
      const session = new pg.Client({ connectionString: url });
      session.on('error', () => undefined);
      await session.connect();
      const { rows } = await session.query<{ pid: number }>(
        'select pg_backend_pid() as pid, pg_advisory_lock_shared(-5, pg_backend_pid())',
      );
      return { presence: `advisory:-5:${rows[0]!.pid}`, end: () => session.end() };
    },
    skip: { kill: 'the death of a process shows by its lease alone; the sessions of a pool say nothing of it' },
    async cleanup() {
      await outside.query('delete from probe');
      for (const schema of taken) await schema.giveBack();
    },
  };
}
