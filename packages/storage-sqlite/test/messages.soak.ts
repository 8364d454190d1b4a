// Messages and events through workers on SQLite that are killed.
import { readFile } from 'node:fs/promises';
import { messageSoak } from '@romancy/core/conformance';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { compileFixture, spawnFixture, temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';

messageSoak(
  'SQLite',
  async () => {
    const place = await temporaryFile();
    const program = await compileFixture(new URL('./fixtures/soak-worker.ts', import.meta.url));
    const database = new Database(place);
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE user_rows (key TEXT NOT NULL)');
    database.close();
    const sink = await temporaryFile('sink');
    return {
      place,
      sink,
      readSink: () => readFile(sink, 'utf8'),
      createStorage: () => createSqliteStorage({ filename: place }),
      spawn: (plan) => spawnFixture(program, [JSON.stringify(plan)]),
    };
  },
  {
    // A death shows by its process.
    leaseMs: 3_600_000,
    // Nobody else can write meanwhile.
    waitMs: 1,
  },
);
