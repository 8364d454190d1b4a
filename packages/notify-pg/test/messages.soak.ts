// Messages and events through workers on PostgreSQL that are killed, with the notifier.
import { readFile } from 'node:fs/promises';
import { messageSoak } from '@romancy/core/conformance';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { compileFixture, createDatabase, spawnFixture, temporaryFile } from '@romancy/test-support';
import pg from 'pg';

messageSoak(
  'PostgreSQL with the notifier',
  async () => {
    const { url: place } = await createDatabase();
    const program = await compileFixture(new URL('./fixtures/soak-worker.ts', import.meta.url));
    const client = new pg.Client({ connectionString: place });
    await client.connect();
    await client.query('create table public.user_rows (key text not null)');
    await client.end();
    const sink = await temporaryFile('sink');
    return {
      place,
      sink,
      readSink: () => readFile(sink, 'utf8'),
      createStorage: () => createPostgresStorage({ connectionString: place, maxConnections: 10 }),
      spawn: (plan) => spawnFixture(program, [JSON.stringify(plan)]),
    };
  },
  {
    // Longer than the soak of a few thousand: there it is the end of a connection that shows a death.
    leaseMs: 10_000,
    waitMs: 20,
  },
);
