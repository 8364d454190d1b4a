// A connection that was lent to a transaction of the user's, and how it is got back from whatever state he leaves it in.
import { StorageUnavailableError } from '@romancy/core/ports';
import { closeAnyhow } from './open-database.js';
import { retryWhileBusy, type RetryOptions } from './retry-while-busy.js';
import type { SqliteConnection } from './sqlite-connection.js';

export interface WritingConnectionParts {
  readonly connection: SqliteConnection;
  /** False: it is the main connection, of a database that has no other. It stays open. */
  readonly isOwn: boolean;
  readonly retry: RetryOptions;
  /** Called once, when nobody uses it any more. */
  readonly onEnd: () => void;
}

/** A transaction has begun on it; nobody else writes until it is given back. */
export class WritingConnection {
  readonly connection: SqliteConnection;
  readonly #isOwn: boolean;
  readonly #retry: RetryOptions;
  readonly #onEnd: () => void;

  constructor({ connection, isOwn, retry, onEnd }: WritingConnectionParts) {
    this.connection = connection;
    this.#isOwn = isOwn;
    this.#retry = retry;
    this.#onEnd = onEnd;
  }

  /** False when the user has closed the connection or ended the transaction. */
  get isInTransaction(): boolean {
    const { database } = this.connection;
    return database.open && database.inTransaction;
  }

  /** To be called before the transaction is ended: the user may have left a loop over rows open, which would keep it from that. */
  seize(): void {
    if (this.#isOwn && this.connection.database.open) this.connection.database.unsafeMode(true);
  }

  /**
   * With a write-ahead log a commit waits for nobody; without one, on a database that the user brought, for readers of other processes.
   * After a failure nothing is committed. @throws the error of the database.
   */
  async commit(): Promise<void> {
    try {
      await retryWhileBusy(() => this.connection.database.exec('COMMIT'), this.#retry);
    } catch (error) {
      throw error instanceof StorageUnavailableError ? error.cause : error;
    }
  }

  /** Undoes what is left of the transaction. Never throws. */
  abort(): void {
    const { database } = this.connection;
    try {
      if (!this.isInTransaction) return;
      database.unsafeMode(true).exec('ROLLBACK');
      if (!this.#isOwn) database.unsafeMode(false);
    } catch {
      // Only a connection that is broken cannot roll back; closing it does the same.
    }
  }

  /**
   * A connection of its own is closed, not kept for the next one (a new one takes 60 microseconds): code that outlives its attempt and
   * goes on using what it was given gets an error, and cannot write into the transaction of another activity.
   */
  giveBack(): void {
    if (this.#isOwn) closeAnyhow(this.connection.database);
    this.#onEnd();
  }
}
