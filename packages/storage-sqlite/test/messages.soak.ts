// Messages and events through workers on SQLite that are killed. ROMANCY_SOAK_MESSAGES says how many (default
// 100,000), ROMANCY_SOAK_PARTS in how many tests.
import { readFile } from 'node:fs/promises';
import { messageSoak } from '@romancy/core/conformance';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { compileFixture, spawnFixture, temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';

const messages = Number(process.env['ROMANCY_SOAK_MESSAGES'] ?? 100_000);

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
    messages,
    parts: Number(process.env['ROMANCY_SOAK_PARTS'] ?? 1),
    publishers: messages / 10,
    events: Math.max(2000, messages / 10),
    seed: Number(process.env['ROMANCY_SOAK_SEED'] ?? Date.now() % 1_000_000),
    // A death shows by its process.
    leaseMs: 3_600_000,
    // Nobody else can write meanwhile.
    waitMs: 1,
    killEvery: [500, 3000],
  },
);
