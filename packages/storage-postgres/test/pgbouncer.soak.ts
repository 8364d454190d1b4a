// All of the port through PgBouncer in transaction mode, where each transaction may meet another session.
import { storageConformance } from '@romancy/core/conformance';
import { hasPgBouncer, shareDatabase, startPgBouncer } from '@romancy/test-support';
import { beforeAll, describe, it } from 'vitest';
import { postgresFixture } from './postgres-fixture.js';

if (hasPgBouncer) {
  describe('one database behind one PgBouncer', () => {
    const database = shareDatabase();
    let through = '';
    beforeAll(async () => {
      through = (await startPgBouncer(database.url, { poolMode: 'transaction', poolSize: 6 })).url;
    });

    storageConformance('PostgreSQL behind PgBouncer', (needs) => postgresFixture({ database, needs, through }), {
      modelRuns: 5,
      parkRaces: 50,
      claimRaceInstances: 100,
      timeout: 240_000,
    });
  });
} else it.skip('all of the port through PgBouncer (skipped: pgbouncer is not installed)');
