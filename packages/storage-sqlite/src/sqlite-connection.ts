// One connection with its prepared statements.
import type { Database, RunResult, Statement } from 'better-sqlite3';
import { ConnectionInUseError } from './storage-error.js';

/** Statements are kept by their text; numbers come as numbers, whatever the owner of the connection prefers elsewhere. */
export class SqliteConnection {
  readonly database: Database;
  readonly #statements = new Map<string, Statement<unknown[]>>();

  constructor(database: Database) {
    this.database = database;
  }

  run(sql: string, ...values: readonly unknown[]): RunResult {
    return this.#statement(sql).run(...values);
  }

  /** The first row, typed as the caller says. */
  get<Row>(sql: string, ...values: readonly unknown[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: readonly unknown[]): readonly Row[] {
    return this.#statement(sql).all(...values) as readonly Row[];
  }

  /** Row by row. Until the loop is left, the connection can do nothing else. */
  iterate<Row>(sql: string, ...values: readonly unknown[]): IterableIterator<Row> {
    return this.#statement(sql).iterate(...values) as IterableIterator<Row>;
  }

  /** All of `work` or nothing. The write lock is taken at once, so that nothing can change between a read and the write after it. */
  immediately<T>(work: () => T): T {
    return this.#transact('BEGIN IMMEDIATE', work);
  }

  /** Reads of one moment. */
  snapshot<T>(work: () => T): T {
    return this.#transact('BEGIN', work);
  }

  #transact<T>(begin: string, work: () => T): T {
    // Its owner is in a transaction: what we wrote would be his to undo.
    if (this.database.inTransaction) throw new ConnectionInUseError();
    this.run(begin);
    try {
      const result = work();
      this.run('COMMIT');
      return result;
    } catch (error) {
      // After some errors, such as a full disk, SQLite has rolled back by itself.
      if (this.database.inTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  #statement(sql: string): Statement<unknown[]> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare<unknown[]>(sql).safeIntegers(false);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
