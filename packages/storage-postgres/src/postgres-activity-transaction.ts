// One attempt's transaction: the user's statements and the entry that records the activity's outcome, committed together.
import { randomUUID } from 'node:crypto';
import { LeaseLostError, TransactionError, type ActivityTransaction, type CommitNews } from '@romancy/core/ports';
import type { Transaction } from 'kysely';
import { createCommitCalls } from './commit-call.js';
import { commitProgress } from './commit-progress.js';
import { findOutcome } from './commit-outcome.js';
import type { Connection } from './connection.js';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { aliveRow, leaseLost } from './fence.js';
import { guardClient, type GuardedClient } from './guarded-client.js';
import { entryColumns, entryRows, entryValues } from './history-rows.js';
import { kyselyTransaction } from './kysely-transaction.js';
import type { PostgresClient } from './postgres-pool.js';
import { joined, raw, sql, type Statement } from './sql.js';
import { leavesConnectionUsable, storageError } from './storage-error.js';
import type { TableNames } from './table-names.js';

/** What `postgresTransaction` gives, before it has types. */
export interface TransactionHandle {
  readonly db: Transaction<unknown>;
  readonly client: PostgresClient;
}

interface TransactionParts {
  readonly database: Database;
  readonly tables: TableNames;
  /** Called once, when its connection is free again. */
  readonly ended: (transaction: PostgresActivityTransaction) => void;
}

/** How long an undo may wait for a query of the user that is still running, before the connection is closed under it. */
const rollbackDeadlineMs = 5000;

/** A setting that lasts as long as the transaction does: PostgreSQL takes it back at COMMIT and at ROLLBACK, whoever sends them. */
const markSetting = 'romancy.transaction';

type CommitRequest = Parameters<ActivityTransaction['commit']>[0];

interface Opened {
  readonly connection: Connection;
  readonly guarded: GuardedClient;
  readonly db: Transaction<unknown>;
  readonly mark: string;
}

/** @throws StorageUnavailableError when no connection can be had. */
export async function beginActivityTransaction(parts: TransactionParts): Promise<PostgresActivityTransaction> {
  const connection = await parts.database.connect();
  try {
    const mark = randomUUID();
    // No query in it that reads: the user may still choose another isolation level by his first statement.
    await connection.script(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL ${markSetting} = '${mark}'`);
    const guarded = guardClient(connection.client);
    return new PostgresActivityTransaction(parts, { connection, guarded, db: kyselyTransaction(guarded.client), mark });
  } catch (error) {
    connection.spoil(error instanceof Error ? error : new Error(String(error)));
    connection.release();
    throw storageError(error);
  }
}

export class PostgresActivityTransaction implements ActivityTransaction {
  readonly handle: TransactionHandle;
  readonly #parts: TransactionParts;
  readonly #connection: Connection;
  readonly #guarded: GuardedClient;
  readonly #mark: string;
  #ending: Promise<void> | undefined;

  constructor(parts: TransactionParts, opened: Opened) {
    this.#parts = parts;
    this.#connection = opened.connection;
    this.#guarded = opened.guarded;
    this.#mark = opened.mark;
    this.handle = Object.freeze({ db: opened.db, client: opened.guarded.client });
  }

  async commit(request: CommitRequest): Promise<CommitNews> {
    if (this.#ending !== undefined) throw new TransactionError('this transaction is over and cannot be committed');
    const committing = this.#commit(request);
    this.#ending = committing.then(
      () => undefined,
      () => undefined,
    );
    return await committing;
  }

  async rollback(): Promise<void> {
    this.#ending ??= this.#undo();
    await this.#ending;
  }

  async #commit(request: CommitRequest): Promise<CommitNews> {
    this.#guarded.close();
    let transactionId: string;
    let news: CommitNews;
    try {
      ({ transactionId, news } = await this.#record(request));
    } catch (error) {
      // COMMIT was not sent: whatever happened, nothing is committed.
      await this.#undo();
      throw isRefusal(error) ? error : notCommitted(error);
    }
    try {
      // An aborted transaction answers ROLLBACK, without an error.
      const tag = await this.#connection.script('COMMIT');
      if (tag !== 'COMMIT') throw new TransactionError(`the database answered ${tag} to the commit: nothing was written`);
    } catch (error) {
      this.#release();
      // Refused by the database, as by a deferred constraint.
      if (isRefusal(error)) throw error;
      if (!(await findOutcome(this.#parts, { transactionId, entry: request.entry, cause: error }))) throw notCommitted(error);
      return news;
    }
    this.#release();
    return news;
  }

  /**
   * The last statement before COMMIT writes the entry, so that the worker's row is locked only for these two round trips (three, when
   * the entry brings something about). Should the process stop between them (a debugger, SIGSTOP, a cut cable), the
   * server ends the session after ten seconds, or else nobody could declare this worker dead.
   *
   * The entry is nobody else's: nobody waits for it, and when it is there already, this fails. So its effects need no other condition than that it was
   * inserted here, and their locks are taken in the order of every commit.
   *
   * A transaction that does not see what was committed since it began could overlook a receiver, and he the message.
   */
  async #record({
    workerId,
    entry,
    effects = [],
  }: CommitRequest): Promise<{ readonly transactionId: string; readonly news: CommitNews }> {
    const { tables } = this.#parts;
    const parts = [
      sql`mark AS MATERIALIZED (SELECT coalesce(current_setting(${markSetting}, true), '') = ${this.#mark} AS ours)`,
      sql`alive AS MATERIALIZED (${aliveRow(tables, workerId, raw('(SELECT ours FROM mark)'))})`,
      sql`concluded AS (
        INSERT INTO ${tables.history} ${entryColumns}
        SELECT ${entryValues} FROM alive CROSS JOIN ${entryRows([entry])}
      )`,
    ];
    const [row] = await this.#connection.rows(sql`
      WITH ${joined(parts, ',\n')}
      SELECT (SELECT ours FROM mark)::text, (SELECT count(*) FROM alive), pg_current_xact_id()::text,
        set_config('idle_in_transaction_session_timeout', '10s', true), current_setting('transaction_isolation')`);
    const [isOurs, alive, transactionId, , isolation] = row!;
    if (isOurs !== 'true') {
      throw new TransactionError(
        'the activity ended its transaction by itself (COMMIT, ROLLBACK or RESET ALL on the client); its result was not recorded, ' +
          'and what it wrote is committed or undone as it said',
      );
    }
    if (alive !== '1') throw leaseLost(workerId);
    if (effects.length === 0) return { transactionId: transactionId!, news: noNews };
    if (isolation !== 'read committed') {
      throw new TransactionError(
        `an activity whose transaction has the isolation level ${isolation} cannot publish or send anything with it; its result was not recorded`,
      );
    }
    const rows = (statement: Statement): Promise<readonly Row[]> => this.#connection.rows(statement);
    const news = await commitProgress(rows, createCommitCalls(tables).any, { workerId, ...nothing, granted: effects });
    return { transactionId: transactionId!, news };
  }

  async #undo(): Promise<void> {
    this.#guarded.close();
    // Where it fails, the connection is closed, and the server undoes what was not committed.
    await this.#connection.script('ROLLBACK', rollbackDeadlineMs).catch(() => undefined);
    this.#release();
  }

  #release(): void {
    this.#connection.release();
    this.#parts.ended(this);
  }
}

const noNews: CommitNews = { undelivered: [], wakeups: [], attention: [] };
const nothing = { starts: [], entries: [], effects: [], subscriptions: [], takenMail: [], settlements: [] };

/** Whether somebody said no, as against: nobody answered. */
function isRefusal(error: unknown): boolean {
  return leavesConnectionUsable(error) || error instanceof TransactionError || error instanceof LeaseLostError;
}

function notCommitted(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TransactionError(`the connection was lost before the commit took effect; nothing was written: ${why}`, { cause });
}
