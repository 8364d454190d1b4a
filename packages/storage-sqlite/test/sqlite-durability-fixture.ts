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

/** What a place says. */
export interface SqlitePlace {
  readonly filename: string;
  /** Default: the storage's. */
  readonly lockTimeoutMs?: number;
}

export async function createSqliteDurabilityFixture(options: Omit<SqlitePlace, 'filename'> = {}): Promise<DurabilityFixture> {
  const program = await compileFixture(worker);
  const filename = await temporaryFile();
  const folder = dirname(filename);
  const notes = join(folder, 'notes');
  const outside = new Database(filename, { timeout: 10_000 });
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE user_rows (key TEXT NOT NULL)');
  return {
    place: JSON.stringify({ filename, ...options } satisfies SqlitePlace),
    elsewhere: JSON.stringify({ filename: join(folder, 'elsewhere.db'), ...options } satisfies SqlitePlace),
    spawn: (plan) => spawnFixture(program, [JSON.stringify(plan), notes]),
    async open(place) {
      const storage = createSqliteStorage({ filename: (JSON.parse(place) as SqlitePlace).filename });
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
