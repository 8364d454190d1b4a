// Counts the requests with one key, in a service's own database, so that a service that starts again goes on counting.
import type Database from 'better-sqlite3';

export class AttemptCounter {
  readonly #count: Database.Statement<[string], { readonly count: number }>;

  constructor(db: Database.Database) {
    db.exec(`create table if not exists attempts (key text primary key, count integer not null)`);
    this.#count = db.prepare(
      `insert into attempts (key, count) values (?, 1) on conflict (key) do update set count = count + 1 returning count`,
    );
  }

  /** Which attempt this is, from 1. */
  count(key: string): number {
    return this.#count.get(key)!.count;
  }
}
