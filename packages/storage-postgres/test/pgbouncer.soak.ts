// All of the port through PgBouncer in transaction mode, where each transaction may meet another session.
import { storageConformance } from '@romancy/core/conformance';
import { createDatabase, hasPgBouncer, startPgBouncer } from '@romancy/test-support';
import { beforeAll, describe, it } from 'vitest';
import { postgresFixtureAt } from './postgres-fixture.js';

if (hasPgBouncer) {
  describe('one database behind one PgBouncer', () => {
    let [url, bounced] = ['', ''];
    beforeAll(async () => {
      url = (await createDatabase()).url;
      bounced = (await startPgBouncer(url, { poolMode: 'transaction', poolSize: 6 })).url;
    });

    storageConformance('PostgreSQL behind PgBouncer', () => postgresFixtureAt(url, bounced), {
      modelRuns: 5,
      parkRaces: 50,
      claimRaceInstances: 100,
      timeout: 240_000,
    });
  });
} else it.skip('all of the port through PgBouncer (skipped: pgbouncer is not installed)');
