// Opens storages for the conformance suite: those of one test in schemas of their own.
import type { StorageFixture } from '@romancy/core/conformance';
import type { Storage } from '@romancy/core/ports';
import type { Transaction } from 'kysely';
import pg from 'pg';
import { createPostgresStorage } from '../src/index.js';
import { context } from './storage-context.js';

export { context };

type ProbeTables = Readonly<Record<`probe_${number}`, { readonly key: string; readonly value: string }>>;

let fixtures = 0;

/**
 * One of many on the same database: databases are dear, and a schema is as good. It is gone with the database.
 * @param through where the storages connect to, when that is not the server itself.
 */
export async function postgresFixtureAt(url: string, through = url): Promise<StorageFixture> {
  const fixture = ++fixtures;
  const probe = `probe_${fixture}` as const;
  const outside = new pg.Pool({ connectionString: url, max: 2 });
  // A connection that is on its way out when the database is dropped says so.
  outside.on('error', () => undefined);
  await outside.query(`create table public.${probe} (key text primary key, value text not null)`);
  const open = async (schema: string): Promise<Storage> => {
    const storage = createPostgresStorage({ connectionString: through, maxConnections: 5, schema });
    await storage.open(context);
    return storage;
  };
  const db = (handle: unknown): Transaction<ProbeTables> => (handle as { readonly db: Transaction<ProbeTables> }).db;
  return {
    open: () => open(`romancy_${fixture}`),
    openElsewhere: () => open(`else"where_${fixture}`),
    transactions: {
      async write(handle, key, value) {
        const insert = db(handle).insertInto(probe).values({ key, value });
        await insert.onConflict((conflict) => conflict.column('key').doUpdateSet({ value })).execute();
      },
      async readWithin(handle, key) {
        const row = await db(handle).selectFrom(probe).select('value').where('key', '=', key).executeTakeFirst();
        return row?.value;
      },
      async read(key) {
        const { rows } = await outside.query<{ value: string }>(`select value from public.${probe} where key = $1`, [key]);
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
    cleanup: () => outside.end(),
  };
}
