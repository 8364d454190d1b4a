// SQLite files in a folder of their own on a disk.
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { openRawSqliteMail } from '../raw/raw-sqlite-mail.js';
import { openRawSqlite } from '../raw/raw-sqlite.js';
import type { CountedStorage, Place } from './place.js';

/** @param parent where the folder is made; it should be on a disk and not in memory. */
export async function openSqlitePlace(parent: string): Promise<Place> {
  const folder = await mkdtemp(join(parent, 'romancy-bench-'));
  const fileOf = (label: string): string => join(folder, `${label}.db`);
  return {
    kind: 'sqlite',
    async describe() {
      const settings = await settingsInUse(fileOf('settings'));
      return [
        `SQLite ${settings.version}`,
        `journal_mode ${settings.journalMode}, synchronous ${settings.synchronous} on both sides`,
      ];
    },
    createStorage: async (label) => createSqliteStorage({ filename: fileOf(`romancy-${label}`) }),
    openRaw: async (label) => openRawSqlite(fileOf(`raw-${label}`)),
    openRawMail: async (label) => openRawSqliteMail(fileOf(`raw-${label}`)),
    createCountedStorage: async (label) => countedStorage(fileOf(`romancy-${label}`)),
    server: null,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Asks a connection of Romancy's own making what it is set to. */
async function settingsInUse(filename: string) {
  const connections: Database.Database[] = [];
  const storage = createSqliteStorage({ filename, onConnection: (database) => connections.push(database) });
  const quiet = (): void => undefined;
  await storage.open({
    clock: { now: Date.now, monotonic: () => performance.now(), schedule: () => quiet },
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const [connection] = connections;
  const settings = {
    version: String(connection!.prepare('SELECT sqlite_version()').pluck().get()),
    journalMode: String(connection!.pragma('journal_mode', { simple: true })),
    synchronous: ['OFF', 'NORMAL', 'FULL', 'EXTRA'][Number(connection!.pragma('synchronous', { simple: true }))] ?? 'unknown',
  };
  await storage.close();
  return settings;
}

/** The driver tells every statement that it carries out. There is no server: each of them is a call of a function in this process. */
function countedStorage(filename: string): CountedStorage {
  let statements = 0;
  const database = new Database(filename, { verbose: () => statements++ });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  return {
    storage: createSqliteStorage({ database }),
    count: async () => statements,
    how: 'by the driver, BEGIN and COMMIT included',
    close: async () => void database.close(),
  };
}
