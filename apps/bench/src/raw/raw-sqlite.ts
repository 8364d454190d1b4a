// Durable code by hand on SQLite: one commit for the start, for each step, and for the last step with the end, on one connection.
import Database from 'better-sqlite3';
import type { RawStep, RawStore } from './raw-store.js';

/** Opens the file with a write-ahead log, flushed at each commit, and makes the tables. */
export function openRawSqlite(filename: string): RawStore {
  const database = new Database(filename);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(`
    CREATE TABLE IF NOT EXISTS instances (
      instance_id TEXT PRIMARY KEY, workflow_name TEXT NOT NULL, status TEXT NOT NULL, input TEXT NOT NULL, output TEXT,
      created_at INTEGER NOT NULL, finished_at INTEGER
    );
    CREATE TABLE IF NOT EXISTS steps (
      instance_id TEXT NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, recorded_at INTEGER NOT NULL,
      PRIMARY KEY (instance_id, seq)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS timers (instance_id TEXT PRIMARY KEY, due_at INTEGER NOT NULL, fired_at INTEGER);
  `);

  const start = database.prepare(
    `INSERT INTO instances (instance_id, workflow_name, status, input, created_at) VALUES (?, 'bench_order', 'running', ?, ?)`,
  );
  const step = database.prepare('INSERT INTO steps (instance_id, seq, name, data, recorded_at) VALUES (?, ?, ?, ?, ?)');
  const end = database.prepare(`UPDATE instances SET status = 'completed', output = ?, finished_at = ? WHERE instance_id = ?`);
  const cancel = database.prepare(
    `UPDATE instances SET status = 'cancelled', finished_at = ? WHERE instance_id = ? AND finished_at IS NULL`,
  );
  const history = database.prepare('SELECT data FROM steps WHERE instance_id = ? ORDER BY seq').pluck();
  const setTimer = database.prepare('INSERT INTO timers (instance_id, due_at) VALUES (?, ?)');
  const fireTimer = database.prepare('UPDATE timers SET fired_at = ? WHERE instance_id = ? AND fired_at IS NULL');

  const lastStep = database.transaction(({ instanceId, seq, name, data }: RawStep, output: string) => {
    const now = Date.now();
    step.run(instanceId, seq, name, data, now);
    end.run(output, now, instanceId);
  });

  // The driver does not wait: a commit holds up the whole process until the disk has answered. Nor does anything else here let the event loop
  // have a turn, from the first workflow to the last; Romancy lets it have one behind each commit. Statements that stand alone are
  // transactions, with no BEGIN and COMMIT of their own.
  return {
    start: async (instanceId, input) => void start.run(instanceId, input, Date.now()),
    step: async ({ instanceId, seq, name, data }) => void step.run(instanceId, seq, name, data, Date.now()),
    lastStep: async (row, output) => lastStep.immediate(row, output),
    cancel: async (instanceId) => void cancel.run(Date.now(), instanceId),
    history: async (instanceId) => history.all(instanceId) as readonly string[],
    setTimer: async (instanceId, dueAt) => void setTimer.run(instanceId, dueAt),
    fireTimer: async (instanceId) => void fireTimer.run(Date.now(), instanceId),
    close: async () => void database.close(),
  };
}
