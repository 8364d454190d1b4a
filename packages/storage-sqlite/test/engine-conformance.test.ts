// The engine on SQLite does what it promises.
import { engineConformance, type EngineFixture } from '@romancy/core/conformance';
import { createSqliteStorage, sqliteTransaction } from '@romancy/storage-sqlite';
import { collectGarbage, temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';

interface UserTables {
  readonly rows: { readonly key: string; readonly value: string };
}

engineConformance(
  'SQLite',
  async (): Promise<EngineFixture> => {
    const filename = await temporaryFile();
    const outside = new Database(filename, { timeout: 5000 });
    outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE rows (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
    const read = outside.prepare<[string], string>('SELECT value FROM rows WHERE key = ?').pluck();
    return {
      storage: () => createSqliteStorage({ filename, synchronous: 'normal' }),
      manualTime: true,
      rows: {
        async write(ctx, key, value) {
          const { db } = await sqliteTransaction<UserTables>(ctx);
          await db.replaceInto('rows').values({ key, value }).execute();
        },
        read: async (key) => read.get(key),
        async fail(ctx) {
          const { database } = await sqliteTransaction(ctx);
          database.exec('INSERT INTO rows (key, value) VALUES (NULL, NULL)');
        },
      },
      skip: {
        lostSettlement: 'a commit is a call within the process: its answer cannot get lost',
        notifier: 'none stands beside it',
      },
      async cleanup() {
        outside.close();
      },
    };
  },
  { collectGarbage },
);
