// The database as the stores see it: statements and transactions on connections of a pool, errors as the port wants them.
import {
  NotRunningError,
  StorageUnavailableError,
  type DatabaseNote,
  type Logger,
  type NotesOf,
  type Wakeup,
} from '@romancy/core/ports';
import { Connection } from './connection.js';
import type { Row } from './row.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import type { Statement } from './sql.js';
import { isAboutName, storageError } from './storage-error.js';

/** How long a free connection is waited for. */
const connectDeadlineMs = 10_000;

/**
 * A process that stops in the middle (a debugger, SIGSTOP, a cut cable) must not keep its locks: with that of its worker's row it could
 * not even be declared dead. The server then ends the session, which passes.
 */
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '10s'`;

/** A pool and how to let go of it. */
export interface PoolSource {
  open(): Promise<PostgresPool>;
  /** Ends a pool that `open` made. Left out for one that the user brought. */
  readonly close?: (pool: PostgresPool) => Promise<void>;
}

export class Database {
  readonly #source: PoolSource;
  readonly #statementDeadlineMs: number;
  #pool: PostgresPool | undefined;
  #keepsNames = true;
  #notesOf: NotesOf | undefined;
  #onIdleError: ((error: Error) => void) | undefined;

  constructor(source: PoolSource, statementDeadlineMs: number) {
    this.#source = source;
    this.#statementDeadlineMs = statementDeadlineMs;
  }

  /** Whether sessions keep statements parsed that come with a name, as far as is known, and no statement is sent together with notes. */
  get keepsParsed(): boolean {
    return this.#keepsNames && this.#notesOf === undefined;
  }

  /** @param notesOf what is to be sent with changes. */
  async start(logger: Logger, notesOf?: NotesOf): Promise<void> {
    this.#notesOf = notesOf;
    if (this.#pool !== undefined) return;
    const pool = await this.#source.open();
    // A pool without a listener turns the loss of an idle connection (a restart, a failover) into the end of the process.
    this.#onIdleError = (error) => logger.debug('an idle connection to the database was lost', { error: error.message });
    pool.on('error', this.#onIdleError);
    pool.on('connect', listen);
    this.#pool = pool;
  }

  /** May come twice and before `start`. */
  async stop(): Promise<void> {
    const pool = this.#pool;
    if (pool === undefined) return;
    this.#pool = undefined;
    // A pool that ends still has connections on their way out, which may report errors: its listener stays with it.
    if (this.#source.close !== undefined) {
      await this.#source.close(pool);
      return;
    }
    pool.removeListener('error', this.#onIdleError!);
    pool.removeListener('connect', listen);
  }

  /** One statement in a transaction of its own: one round trip. */
  async rows(statement: Statement): Promise<readonly Row[]> {
    const connection = await this.connect();
    try {
      return await connection.rows(statement);
    } catch (error) {
      throw storageError(error);
    } finally {
      connection.release();
    }
  }

  /**
   * Like `rows`, for a text that comes often: sessions keep it parsed, under a name. Behind a transaction pooler that does not know of names
   * the next session may not have it, or have it already. It then refuses without having begun anything, and from there on no statement
   * of this process has a name.
   */
  async preparedRows(name: string, statement: Statement): Promise<readonly Row[]> {
    if (!this.#keepsNames) return this.rows(statement);
    const connection = await this.connect();
    try {
      return await connection.rows(statement, name);
    } catch (error) {
      if (!isAboutName(error)) throw storageError(error);
      this.#keepsNames = false;
    } finally {
      connection.release();
    }
    return this.rows(statement);
  }

  /**
   * One statement, and with it, in one transaction, the notes of what it changed, where a notifier wants them there; as `rows` or
   * `preparedRows` where it does not.
   */
  async rowsWithNotes(
    statement: Statement,
    { name, wakeups }: { readonly name?: string; readonly wakeups: (rows: readonly Row[]) => readonly Wakeup[] },
  ): Promise<readonly Row[]> {
    const notesOf = this.#notesOf;
    if (notesOf === undefined) return name === undefined ? this.rows(statement) : this.preparedRows(name, statement);
    return this.transaction(async (connection) => {
      const rows = await connection.rows(statement);
      const notes = notesOf(wakeups(rows));
      if (notes.length > 0) await connection.rows(notify(notes));
      return rows;
    });
  }

  /** Several statements in one transaction. It is undone when `work` or the commit fails. */
  async transaction<T>(work: (connection: Connection) => Promise<T>, deadlineMs?: number): Promise<T> {
    const connection = await this.connect(deadlineMs);
    try {
      await connection.script(begin);
      try {
        const result = await work(connection);
        await connection.script('COMMIT');
        return result;
      } catch (error) {
        // Where even this fails, the connection is thrown away, which undoes it just as well.
        await connection.script('ROLLBACK').catch(() => undefined);
        throw error;
      }
    } catch (error) {
      throw storageError(error);
    } finally {
      connection.release();
    }
  }

  /**
   * A connection for more than one call; the caller releases it.
   * @throws StorageUnavailableError when none can be had in time, NotRunningError when the storage is not open.
   */
  async connect(statementDeadlineMs = this.#statementDeadlineMs): Promise<Connection> {
    if (this.#pool === undefined) throw new NotRunningError('this storage is not open');
    const connecting = this.#pool.connect();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new StorageUnavailableError(`no free connection to the database within ${connectDeadlineMs} ms`)),
        connectDeadlineMs,
      );
    });
    try {
      return new Connection(await Promise.race([connecting, deadline]), statementDeadlineMs);
    } catch (error) {
      // One that comes too late must not be missing from the pool for ever.
      connecting.then(
        (client) => client.release(),
        () => undefined,
      );
      throw storageError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

function notify(notes: readonly DatabaseNote[]): Statement {
  return {
    text: 'SELECT count(pg_catalog.pg_notify(n.channel, n.payload)) FROM unnest($1::text[], $2::text[]) AS n (channel, payload)',
    values: [notes.map(({ channel }) => channel), notes.map(({ payload }) => payload)],
  };
}

/**
 * The pool listens to idle clients and a `Connection` to its own. In between, nobody does: the packet that says that a session is
 * ready, upon which the pool hands the client out, can also say that it was terminated, and the driver reads both in one go. An error
 * that nobody listens to ends the process. Whoever uses the client is told by his first statement.
 */
function listen(client: PostgresClient): void {
  client.on('error', () => undefined);
}
