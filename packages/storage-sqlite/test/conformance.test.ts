// The storage on SQLite keeps the storage port's word.
import { storageConformance, type StorageFixture } from '@romancy/core/conformance';
import type { Storage } from '@romancy/core/ports';
import { ManualClock, recordingLogger } from '@romancy/core/testing';
import { createSqliteStorage, type SqliteStorageOptions, type SqliteTransaction } from '@romancy/storage-sqlite';
import { temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';

type Handle = SqliteTransaction<{ rows: { key: string; value: string } }>;

storageConformance('storage on SQLite', async (): Promise<StorageFixture> => {
  const filename = await temporaryFile();
  const clock = new ManualClock();
  const workersOf = new Map<Storage, readonly string[]>();
  const outside = new Database(filename, { timeout: 5000 });
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE rows (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
  const open = async (options: Partial<SqliteStorageOptions> = {}): Promise<Storage> => {
    const storage = createSqliteStorage({ filename, synchronous: 'normal', ...options } as SqliteStorageOptions);
    await storage.open({ clock, logger: recordingLogger() });
    const register = storage.leases.register.bind(storage.leases);
    storage.leases.register = (worker) => {
      workersOf.set(storage, [...(workersOf.get(storage) ?? []), worker.workerId]);
      return register(worker);
    };
    return storage;
  };
  return {
    clock,
    open: () => open(),
    openElsewhere: () => open({ tablePrefix: 'other_' }),
    transactions: {
      async write(handle, key, value) {
        const { db } = handle as Handle;
        await db.replaceInto('rows').values({ key, value }).execute();
      },
      async readWithin(handle, key) {
        const { database } = handle as Handle;
        return database.prepare<[string], string>('SELECT value FROM rows WHERE key = ?').pluck().get(key);
      },
      async read(key) {
        return outside.prepare<[string], string>('SELECT value FROM rows WHERE key = ?').pluck().get(key);
      },
      async fail(handle) {
        const { database } = handle as Handle;
        try {
          database.exec('INSERT INTO rows (key, value) VALUES (NULL, NULL)');
        } catch {
          // As an activity may do, too.
        }
      },
    },
    async kill(storage) {
      // What others see of a process that is gone: its number belongs to one that started at another time.
      const update = outside.prepare(`UPDATE romancy_workers SET process_start = 'earlier' WHERE worker_id = ?`);
      for (const workerId of workersOf.get(storage) ?? []) update.run(workerId);
    },
    skip: { presence: 'a process shows itself whether it lives' },
    async cleanup() {
      outside.close();
    },
  };
});
