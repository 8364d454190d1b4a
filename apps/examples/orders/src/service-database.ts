// Opens the database of a service: a file of its own that outlives the process.
import Database from 'better-sqlite3';

/** @param schema creates what is not there yet. */
export function openServiceDatabase(filename: string, schema: string): Database.Database {
  const db = new Database(filename);
  db.pragma('journal_mode = wal');
  db.exec(schema);
  return db;
}
