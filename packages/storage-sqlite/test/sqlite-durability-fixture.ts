// One SQLite file, the user's table in it, and how worker processes are started on it.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DurabilityFixture } from '@romancy/core/conformance';
import { recordingLogger } from '@romancy/core/testing';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { compileFixture, spawnFixture, temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { createSystemClock } from './system-clock.js';

const worker = new URL('./fixtures/durability-worker.ts', import.meta.url);

export async function createSqliteDurabilityFixture(): Promise<DurabilityFixture> {
  const program = await compileFixture(worker);
  const filename = await temporaryFile();
  const folder = dirname(filename);
  const notes = join(folder, 'notes');
  const outside = new Database(filename, { timeout: 10_000 });
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE user_rows (key TEXT NOT NULL)');
  return {
    place: filename,
    elsewhere: join(folder, 'elsewhere.db'),
    spawn: (plan) => spawnFixture(program, [JSON.stringify(plan), notes]),
    async open(place) {
      const storage = createSqliteStorage({ filename: place });
      await storage.open({ clock: createSystemClock(), logger: recordingLogger() });
      return storage;
    },
    notes: () => readFile(notes, 'utf8').catch(() => ''),
    rows: async () => outside.prepare<[], string>('SELECT key FROM user_rows ORDER BY key').pluck().all(),
    async cleanup() {
      outside.close();
    },
  };
}
