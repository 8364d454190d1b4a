// The file between open and close: its main connection, the order of those who write to it, and the time.
import { setMaxListeners } from 'node:events';
import { NotRunningError, type StorageContext } from '@romancy/core/ports';
import { eitherSignal } from './either-signal.js';
import { migrate } from './migrate.js';
import { migrations } from './migrations.js';
import { closeAnyhow, fileOf, isFile, openAnother, openFile, pathOf } from './open-database.js';
import { ReadingTurns } from './reading-turns.js';
import { retryWhileBusy, type RetryOptions } from './retry-while-busy.js';
import { shareWriteLock } from './shared-write-lock.js';
import { SqliteConnection } from './sqlite-connection.js';
import type { SqliteSettings } from './sqlite-storage-options.js';
import { ConnectionInUseError } from './storage-error.js';
import type { TableNames } from './table-names.js';
import { WriteLock, type ReleaseLock } from './write-lock.js';
import { WritingConnection } from './writing-connection.js';

/** What is there while the file is open. */
interface Session {
  readonly context: StorageContext;
  readonly main: SqliteConnection;
  /** False: nobody but the main connection can see the database, so that everything goes over that one. */
  readonly isFile: boolean;
  /** Who writes has this first. */
  readonly lock: WriteLock;
  /** Leaves the line of the lock. */
  readonly leave: () => void;
}

/** What all parts of one storage share. */
export class SqliteFile {
  readonly settings: SqliteSettings;
  /** The path, absolute as a rule. */
  readonly description: string;
  readonly #readingTurns = new ReadingTurns();
  #closing = new AbortController();
  #session: Session | undefined;
  /** In a database without a file: the transaction of an activity has the main connection. */
  #mainIsLent = false;

  constructor(settings: SqliteSettings) {
    this.settings = settings;
    const { source } = settings;
    this.description = 'database' in source ? pathOf(source.database) : source.filename;
  }

  get tables(): TableNames {
    return this.settings.tables;
  }

  /** @throws NotRunningError before open and after close. */
  get context(): StorageContext {
    return this.#require().context;
  }

  /** The storage's clock, in milliseconds since 1970. */
  now(): number {
    return this.context.clock.now();
  }

  async open(context: StorageContext): Promise<void> {
    if (this.#session !== undefined) throw new Error(`${this.description} is open already`);
    this.#closing = new AbortController();
    // As many listen as calls wait; none of them is forgotten.
    setMaxListeners(0, this.#closing.signal);
    const { source, tables, onConnection } = this.settings;
    const retry = this.#retry();
    const database = 'database' in source ? source.database : await openFile({ ...source, onConnection }, retry);
    try {
      const main = new SqliteConnection(database);
      await migrate(main, { tables, migrations, now: context.clock.now(), retry });
      retry.signal.throwIfAborted();
      const line = isFile(database) ? shareWriteLock(fileOf(database)) : { lock: new WriteLock(), leave: () => undefined };
      this.#session = { context, main, isFile: isFile(database), ...line };
    } catch (error) {
      if (!('database' in source)) database.close();
      throw error;
    }
  }

  /** Ends what `endTransactions` ends, and waits for a write under way; those that wait for their turn reject. */
  async close(endTransactions: () => Promise<void>): Promise<void> {
    this.#closing.abort(new NotRunningError(`${this.description} is closed`));
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    await endTransactions();
    const release = await session.lock.acquire({ signal: new AbortController().signal, urgent: true });
    if (!('database' in this.settings.source)) session.main.database.close();
    release({ synchronousMs: 0 });
    session.leave();
  }

  /** One statement that reads. */
  async read<T>(work: (connection: SqliteConnection) => T): Promise<T> {
    return this.#readingTurns.take(() => retryWhileBusy(() => work(this.#free().main), this.#retry()));
  }

  /** Several statements that read what was there at one moment. */
  async snapshot<T>(work: (connection: SqliteConnection) => T): Promise<T> {
    const attempt = (): T => {
      const { main } = this.#free();
      // Inside of an activity's transaction nothing can change between two statements: this code does not give up control.
      return this.#mainIsLent ? work(main) : main.snapshot(() => work(main));
    };
    return this.#readingTurns.take(() => retryWhileBusy(attempt, this.#retry()));
  }

  /** A transaction that writes: all of `work` or nothing. Urgent: before all others of this process that wait. */
  write<T>(work: (connection: SqliteConnection) => T, { urgent = false } = {}): Promise<T> {
    return this.writeInTurn((main) => main.immediately(() => work(main)), { urgent });
  }

  /**
   * For who begins the transaction himself, or needs none: one statement that writes is one, whose write lock SQLite takes before it reads
   * anything. `work` is called anew where it fails for a lock of another process.
   */
  async writeInTurn<T>(work: (connection: SqliteConnection) => T, { urgent = false } = {}): Promise<T> {
    const { lock } = this.#require();
    const release = lock.takeIfFree() ?? (await lock.acquire({ signal: this.#closing.signal, urgent }));
    let heldMs = 0;
    try {
      return await retryWhileBusy(() => {
        const { main } = this.#free();
        const began = performance.now();
        const result = work(main);
        heldMs = performance.now() - began;
        return result;
      }, this.#retry());
    } finally {
      release({ synchronousMs: heldMs });
    }
  }

  /** A connection with an open transaction and the write lock of the file, for as long as the caller wants. */
  async beginWriting(signal: AbortSignal): Promise<WritingConnection> {
    const { lock } = this.#require();
    const patience = eitherSignal(signal, this.#closing.signal);
    try {
      const release = await lock.acquire({ signal: patience.signal });
      return await this.#begin(release, patience.signal).catch((error: unknown) => {
        release({ asynchronousMs: 0 });
        throw error;
      });
    } finally {
      patience.dispose();
    }
  }

  async #begin(release: ReleaseLock, signal: AbortSignal): Promise<WritingConnection> {
    const { main, isFile: isOwn } = this.#require();
    const retry = { ...this.#retry(), signal };
    const another = (): SqliteConnection => new SqliteConnection(openAnother(main.database, this.settings.onConnection));
    const connection = isOwn ? await retryWhileBusy(another, retry) : main;
    try {
      await retryWhileBusy(() => {
        if (connection.database.inTransaction) throw new ConnectionInUseError();
        connection.run('BEGIN IMMEDIATE');
      }, retry);
    } catch (error) {
      if (isOwn) closeAnyhow(connection.database);
      throw error;
    }
    const began = performance.now();
    this.#mainIsLent = !isOwn;
    const onEnd = (): void => {
      this.#mainIsLent = false;
      release({ asynchronousMs: performance.now() - began });
    };
    return new WritingConnection({ connection, isOwn, retry: this.#retry(), onEnd });
  }

  /** The session, when its main connection can be used. */
  #free(): Session {
    const session = this.#require();
    // Its owner is in a transaction: what we read might be from before it.
    if (session.main.database.inTransaction && !this.#mainIsLent) throw new ConnectionInUseError();
    return session;
  }

  #require(): Session {
    if (this.#session === undefined) throw new NotRunningError(`${this.description} is not open`);
    return this.#session;
  }

  #retry(): RetryOptions {
    return { timeoutMs: this.settings.lockTimeoutMs, signal: this.#closing.signal };
  }
}
