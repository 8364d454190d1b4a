// A queue and mailboxes by hand on SQLite: one transaction per message and side, on one connection.
import Database from 'better-sqlite3';
import type { RawMail } from './raw-mail.js';

/** Opens the file with a write-ahead log, flushed at each commit, and makes the tables. */
export function openRawSqliteMail(filename: string): RawMail {
  const database = new Database(filename);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(`
    CREATE TABLE queue (id INTEGER PRIMARY KEY, data TEXT NOT NULL);
    CREATE TABLE mail (id INTEGER PRIMARY KEY, receiver TEXT NOT NULL, data TEXT NOT NULL);
    CREATE INDEX mail_of_receiver ON mail (receiver, id);
    CREATE TABLE received (
      receiver TEXT NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL, recorded_at INTEGER NOT NULL, PRIMARY KEY (receiver, seq)
    ) WITHOUT ROWID;
  `);
  const enqueue = database.prepare('INSERT INTO queue (data) VALUES (?)');
  const oldest = database.prepare('DELETE FROM queue WHERE id = (SELECT min(id) FROM queue) RETURNING data').pluck();
  const post = database.prepare('INSERT INTO mail (receiver, data) VALUES (?, ?)');
  const oldestOf = database
    .prepare('DELETE FROM mail WHERE id = (SELECT min(id) FROM mail WHERE receiver = ?) RETURNING data')
    .pluck();
  const record = database.prepare('INSERT INTO received (receiver, seq, data, recorded_at) VALUES (?, ?, ?, ?)');

  const recorded = (receiver: string, seq: number, data: unknown): string | undefined => {
    if (typeof data !== 'string') return undefined;
    record.run(receiver, seq, data, Date.now());
    return data;
  };
  const take = database.transaction((receiver: string, seq: number) => recorded(receiver, seq, oldest.get()));
  const receive = database.transaction((receiver: string, seq: number) => recorded(receiver, seq, oldestOf.get(receiver)));
  const fanOut = database.transaction((receivers: readonly string[], data: string) => {
    for (const receiver of receivers) post.run(receiver, data);
  });

  // The driver does not wait: a commit holds up the whole process until the disk has answered.
  return {
    enqueue: async (data) => void enqueue.run(data),
    take: async (receiver, seq) => take.immediate(receiver, seq),
    fanOut: async (receivers, data) => fanOut.immediate(receivers, data),
    receive: async (receiver, seq) => receive.immediate(receiver, seq),
    close: async () => void database.close(),
  };
}
