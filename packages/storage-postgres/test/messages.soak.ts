// Messages and events through workers on PostgreSQL that are killed.
import { readFile } from 'node:fs/promises';
import { messageSoak } from '@romancy/core/conformance';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { compileFixture, createDatabase, spawnFixture, temporaryFile } from '@romancy/test-support';
import pg from 'pg';

messageSoak(
  'PostgreSQL',
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
    // By polling, nothing else shows a death.
    leaseMs: 2000,
    waitMs: 20,
  },
);
