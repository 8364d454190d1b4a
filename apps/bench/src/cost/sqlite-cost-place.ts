// Counts on files of SQLite: the driver tells each statement, and the write-ahead log grows until it is asked not to.
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
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
  const count = (said: unknown): void => {
    // Neither what a trigger does, which stands behind two dashes, nor settings.
    if (/^(--|PRAGMA)/i.test(String(said))) return;
    quiet.began();
    statements++;
    quiet.ended();
  };
  /** Its class is that of further connections to the file, which transactions of activities have. */
  class CountedDatabase extends Database {
    constructor(filename: string, options: Database.Options = {}) {
      super(filename, { ...options, verbose: count });
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
      const logs = files.map((file) => readFileSync(`${file}-wal`));
      const logBytes = logs.reduce((sum, log) => sum + log.length, 0);
      return { statements, commits: logs.reduce((sum, log) => sum + commitsIn(log), 0), roundTrips: null, logBytes };
    },
    async close() {
      for (const database of databases) database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const logHeaderBytes = 32;
const frameHeaderBytes = 24;

/** The transactions in a write-ahead log (https://www.sqlite.org/fileformat2.html#the_write_ahead_log): each ends with a frame that tells the size of the database. */
function commitsIn(log: Buffer): number {
  if (log.length < logHeaderBytes) return 0;
  const frameBytes = frameHeaderBytes + log.readUInt32BE(8);
  let commits = 0;
  for (let frame = logHeaderBytes; frame + frameBytes <= log.length; frame += frameBytes) {
    if (log.readUInt32BE(frame + 4) !== 0) commits++;
  }
  return commits;
}
