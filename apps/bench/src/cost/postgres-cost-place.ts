// Counts on a PostgreSQL server that nobody else uses: its log grows by what is measured, and by nothing else.
import pg from 'pg';
import { createPgNotifier } from '@romancy/notify-pg';
import { createPostgresStorage, postgresTransaction } from '@romancy/storage-postgres';
import { startPostgres } from '@romancy/test-support/postgres';
import type { CostPlace } from './cost-place.js';
import { countRoundTrips } from './counted-client.js';
import { Quiet } from './quiet.js';

/**
 * No page is written to the log in full, as after a checkpoint, since whether one has to be depends on what was before; nor does the
 * server write anything of its own accord.
 */
const settings = {
  full_page_writes: 'off',
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  max_wal_size: '4GB',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'none',
};

const readings = `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS transactions,
  (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes,
  (SELECT coalesce(sum(calls), 0)::float8 FROM pg_stat_statements) AS statements`;

type Server = Awaited<ReturnType<typeof startPostgres>>;

interface Row {
  readonly transactions: number;
  readonly bytes: number;
  readonly statements: number;
}

export async function openPostgresCostPlace(): Promise<CostPlace> {
  const server = await startPostgres({ settings });
  try {
    return await placeOn(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Its end is the server's too. */
async function placeOn(server: Server): Promise<CostPlace> {
  const tracked = new URL(server.url);
  tracked.searchParams.set('options', '-c pg_stat_statements.track=top');
  const admin = new pg.Client({ connectionString: server.url });
  const quiet = new Quiet();
  const pools: pg.Pool[] = [];
  let roundTrips = 0;
  const counted = <TClient extends pg.ClientBase>(client: TClient): TClient =>
    countRoundTrips(client, quiet, () => void roundTrips++);
  await admin.connect();
  const title = await prepare(admin).catch(async (error: unknown) => {
    await admin.end();
    throw error;
  });
  return {
    kind: 'postgres',
    title,
    async createStorage(label) {
      const pool = new pg.Pool({ connectionString: tracked.href, max: 10 });
      pool.on('connect', (client) => void counted(client));
      pools.push(pool);
      return createPostgresStorage({ pool, schema: label });
    },
    createNotifier: (label) =>
      createPgNotifier({
        channelPrefix: label,
        async connect() {
          const client = new pg.Client({ connectionString: tracked.href });
          await client.connect();
          return counted(client);
        },
      }),
    async writeInTransaction(ctx) {
      const { client } = await postgresTransaction(ctx);
      await client.query('INSERT INTO own_rows VALUES ($1)', [ctx.instanceId]);
    },
    quiet: (quietMs) => quiet.lasted(quietMs),
    async read() {
      const [row] = (await admin.query<Row>(readings)).rows;
      return { statements: row!.statements, commits: row!.transactions, roundTrips, logBytes: row!.bytes };
    },
    async close() {
      // The server may end a session that is about to end: nothing is counted any more.
      for (const pool of pools) pool.on('error', () => undefined);
      admin.on('error', () => undefined);
      await Promise.all(pools.map((pool) => pool.end()));
      await admin.end();
      await server.stop();
    },
  };
}

/** @returns which server it is. */
async function prepare(admin: pg.Client): Promise<string> {
  await admin.query('CREATE EXTENSION pg_stat_statements; CREATE TABLE own_rows (id text)');
  const { rows } = await admin.query<{ readonly server_version_num: string }>('SHOW server_version_num');
  return `PostgreSQL ${Math.floor(Number(rows[0]!.server_version_num) / 10_000)}`;
}
