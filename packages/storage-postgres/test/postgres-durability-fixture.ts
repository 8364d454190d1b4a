// One PostgreSQL database, the user's table in it, and how worker processes are started on it.
import { readFile } from 'node:fs/promises';
import type { DurabilityFixture } from '@romancy/core/conformance';
import { ManualClock, recordingLogger } from '@romancy/core/testing';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { compileFixture, createDatabase, spawnFixture, temporaryFile } from '@romancy/test-support';
import pg from 'pg';

const worker = new URL('./fixtures/durability-worker.ts', import.meta.url);

/** @param url an empty database; default: a new one on the server of the test run. */
export async function createPostgresDurabilityFixture(url?: string): Promise<DurabilityFixture> {
  const connectionString = url ?? (await createDatabase()).url;
  const program = await compileFixture(worker);
  const notes = await temporaryFile('notes');
  const outside = new pg.Pool({ connectionString, max: 1 });
  outside.on('error', () => undefined);
  await outside.query('create table if not exists public.user_rows (key text not null)');
  return {
    place: JSON.stringify({ connectionString }),
    elsewhere: JSON.stringify({ connectionString, schema: 'elsewhere' }),
    spawn: (plan) => spawnFixture(program, [JSON.stringify(plan), notes]),
    async open(place) {
      const storage = createPostgresStorage({ ...(JSON.parse(place) as { connectionString: string }), maxConnections: 3 });
      // The server's clock counts; this one is not asked.
      await storage.open({ clock: new ManualClock(), logger: recordingLogger() });
      return storage;
    },
    notes: () => readFile(notes, 'utf8').catch(() => ''),
    async rows() {
      const { rows } = await outside.query<{ key: string }>('select key from public.user_rows order by key collate "C"');
      return rows.map(({ key }) => key);
    },
    cleanup: () => outside.end(),
  };
}
