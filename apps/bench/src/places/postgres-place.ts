// A PostgreSQL server: one of its own that flushes every commit, or one that is there already.
import pg from 'pg';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { startPostgres } from '@romancy/test-support/postgres';
import { openRawPostgresMail } from '../raw/raw-postgres-mail.js';
import { openRawPostgres } from '../raw/raw-postgres.js';
import type { Place } from './place.js';
import { openStatementCounter } from './statement-counter.js';

const shown = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'commit_delay',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'autovacuum',
];

/** Of the log, in segments of 16 MB: more than one measurement writes. */
const segments = 64;

/**
 * The server's own settings, besides the defaults: no checkpoint falls into the run by time or by size, since it would slow down
 * whichever side is having its turn; what is kept of the log at least is what one measurement writes; statements can be counted; and fifty apps
 * find room.
 */
const settings = {
  min_wal_size: `${segments * 16}MB`,
  max_wal_size: '16GB',
  checkpoint_timeout: '1h',
  max_connections: '400',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'none',
};

/** @param url of a database in which schemas may be made, all of whose names begin with `romancy_bench`; undefined: start a server. */
export async function openPostgresPlace(url: string | undefined): Promise<Place> {
  const server = url === undefined ? await startPostgres({ durable: true, settings }) : undefined;
  const address = url ?? server!.url;
  const admin = new pg.Pool({ connectionString: address, max: 1 });
  // When a measurement has failed, the server may end its session first: what failed is to be heard, and not that.
  admin.on('error', () => undefined);
  const schemas = new Set<string>();
  if (server !== undefined) await fillLog(admin);
  const emptySchema = async (name: string): Promise<string> => {
    schemas.add(name);
    await admin.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
    return name;
  };
  return {
    kind: 'postgres',
    async describe() {
      const { rows } = await admin.query<{ readonly version: string; readonly settings: string }>(
        `SELECT current_setting('server_version') AS version,
          (SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY place)
            FROM unnest($1::text[]) WITH ORDINALITY AS s (name, place)) AS settings`,
        [shown],
      );
      const whose = server === undefined ? 'given' : 'started for this run';
      return [`PostgreSQL ${rows[0]!.version} (${whose})`, rows[0]!.settings];
    },
    async createStorage(label) {
      if (server !== undefined) await admin.query('CHECKPOINT');
      return createPostgresStorage({ connectionString: address, schema: await emptySchema(`romancy_bench_${label}`) });
    },
    async openRaw(label, connections) {
      return openRawPostgres({ url: address, schema: await emptySchema(`romancy_bench_raw_${label}`), connections });
    },
    async openRawMail(label, connections) {
      return openRawPostgresMail({ url: address, schema: await emptySchema(`romancy_bench_raw_${label}`), connections });
    },
    async createCountedStorage(label) {
      const counter = await openStatementCounter(address);
      return {
        storage: createPostgresStorage({
          connectionString: counter.countedUrl,
          schema: await emptySchema(`romancy_bench_${label}`),
        }),
        count: () => counter.count(),
        how: counter.how,
        close: () => counter.close(),
      };
    },
    server: {
      url: address,
      emptySchema: (label) => emptySchema(`romancy_bench_${label}`),
      openCounter: () => openStatementCounter(address),
    },
    async close() {
      for (const schema of schemas) await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await admin.end();
      await server?.stop();
    },
  };
}

/**
 * A server that has been at work for longer than from one checkpoint to the next writes its log into segments of before. A new one makes each segment
 * as it comes to it, which stops all commits for some 50 ms, the more often the faster they are: of that nothing is to be in a measurement. Each checkpoint
 * then makes what was written ready to be written anew.
 */
async function fillLog(admin: pg.Pool): Promise<void> {
  for (let count = 0; count < segments; count++) {
    await admin.query(`SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()`);
  }
  await admin.query('CHECKPOINT');
}
