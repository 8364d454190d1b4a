// Counts on files of SQLite: the driver tells each statement, and the write-ahead log grows until it is asked not to.
import { mkdtemp, rm } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createSqliteStorage, sqliteTransaction } from '@romancy/storage-sqlite';
import type { CostPlace } from './cost-place.js';
import { Quiet } from './quiet.js';

export async function openSqliteCostPlace(): Promise<CostPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'romancy-cost-'));
  const files: string[] = [];
  const databases: Database.Database[] = [];
  const quiet = new Quiet();
  let statements = 0;
  let commits = 0;
  /** What a connection says of each of its statements is counted. */
  const countOfConnection = (): ((text: unknown) => void) => {
    let mayWrite = false;
    let isAlone = true;
    return (said) => {
      const text = String(said);
      // Neither what a trigger does, which stands behind two dashes, nor settings.
      if (/^(--|PRAGMA)/i.test(text)) return;
      quiet.began();
      statements++;
      if (/^BEGIN/i.test(text)) {
        isAlone = false;
        mayWrite = /IMMEDIATE/i.test(text);
      }
      // By itself, a statement that writes is a transaction.
      else if (isAlone && /^(INSERT|UPDATE|DELETE)/i.test(text)) commits++;
      if (/^COMMIT/i.test(text) && mayWrite) commits++;
      if (/^(COMMIT|ROLLBACK)/i.test(text)) isAlone = true;
      quiet.ended();
    };
  };
  /** Its class is that of further connections to the file, which transactions of activities have. */
  class CountedDatabase extends Database {
    constructor(filename: string, options: Database.Options = {}) {
      super(filename, { ...options, verbose: countOfConnection() });
      // Nothing is taken out of the log, so that it is as long as what was ever written.
      this.pragma('wal_autocheckpoint = 0');
    }
  }
  return {
    kind: 'sqlite',
    title: 'SQLite',
    async createStorage(label) {
      const file = join(folder, `${label}.db`);
      const database = new CountedDatabase(file);
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.exec('CREATE TABLE own_rows (id text)');
      files.push(file);
      databases.push(database);
      return createSqliteStorage({ database });
    },
    createNotifier: null,
    async writeInTransaction(ctx) {
      const { database } = await sqliteTransaction(ctx);
      database.prepare('INSERT INTO own_rows VALUES (?)').run(ctx.instanceId);
    },
    quiet: (quietMs) => quiet.lasted(quietMs),
    async read() {
      const logBytes = files.reduce((sum, file) => sum + statSync(`${file}-wal`).size, 0);
      return { statements, commits, roundTrips: null, logBytes };
    },
    async close() {
      for (const database of databases) database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
