// Workers behind PgBouncer in transaction mode, where each transaction may meet another session. All of the port: pgbouncer.soak.ts.
import { createDatabase, hasPgBouncer, startPgBouncer } from '@romancy/test-support';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { openStorage, registered } from './open-storage.js';
import { renewal } from './worker-calls.js';

describe.skipIf(!hasPgBouncer)(
  `PgBouncer in transaction mode${hasPgBouncer ? '' : ' (skipped: pgbouncer is not installed)'}`,
  () => {
    it('gives many workers few sessions, and each of them another one now and then', async () => {
      const { url } = await createDatabase();
      const { url: bounced } = await startPgBouncer(url, { poolMode: 'transaction', poolSize: 2 });
      const storages = await Promise.all(Array.from({ length: 8 }, () => openStorage({ connectionString: bounced })));
      await Promise.all(
        storages.map(async (storage, index) => {
          await registered(storage, `worker-${index}`);
          await Promise.all(Array.from({ length: 20 }, () => storage.leases.upkeep(renewal(`worker-${index}`, 1000))));
        }),
      );
      const outside = new pg.Client({ connectionString: url });
      await outside.connect();
      const { rows } = await outside.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      await outside.end();
      expect(rows[0]!.n).toBeLessThanOrEqual(2);
    });
  },
);
