// One transaction of one attempt of an activity, from its begin to its end.
import { TransactionError, type ActivityTransaction, type CommitNews, type PendingProgress } from '@romancy/core/ports';
import { isAlive, requireAlive } from './fence.js';
import { handedNews } from './handed-news.js';
import { InstanceLookup } from './instance-lookup.js';
import { createKyselyTransaction } from './kysely-transaction.js';
import type { LocalLeases } from './local-leases.js';
import { recordProgress } from './record-progress.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';
import type { AnyTables, SqliteTransaction } from './sqlite-transaction.js';
import type { WorkerScope } from './worker-scope.js';
import type { WritingConnection } from './writing-connection.js';

/** Everything that the user does lies within this savepoint; when it is gone, he has ended the transaction himself. */
const savepoint = 'romancy_activity';
/** Who kept the write lock for longer, in milliseconds, makes up for it in the leases. */
const longMs = 1000;

const nothing: PendingProgress = { starts: [], entries: [], effects: [], subscriptions: [], takenMail: [] };

type CommitRequest = Parameters<ActivityTransaction['commit']>[0];

export interface OpenTransactionParts {
  readonly file: SqliteFile;
  readonly leases: LocalLeases;
  readonly writing: WritingConnection;
  readonly onEnd: () => void;
}

export class OpenTransaction implements ActivityTransaction {
  readonly handle: SqliteTransaction<AnyTables>;
  readonly #parts: OpenTransactionParts;
  readonly #connection: SqliteConnection;
  readonly #began: number;
  readonly #cancelTimeout: () => void;
  /** Why nothing can be done with it any more. */
  #over: string | undefined;
  #committing: Promise<CommitNews> | undefined;
  #hasVouched = false;

  constructor(parts: OpenTransactionParts) {
    const { file, writing } = parts;
    const { clock, logger } = file.context;
    this.#parts = parts;
    this.#connection = writing.connection;
    this.#began = clock.monotonic();
    const { database } = writing.connection;
    database.exec(`SAVEPOINT ${savepoint}`);
    this.handle = { db: createKyselyTransaction(database, () => this.#requireOpen()), database };
    const { transactionTimeoutMs } = file.settings;
    this.#cancelTimeout = clock.schedule(transactionTimeoutMs, () => {
      if (this.#committing !== undefined) return;
      const why = `rolled back after ${transactionTimeoutMs} ms (transactionTimeoutMs), since it kept everything else from writing`;
      logger.warn(`the transaction of an activity was ${why}`, { storage: file.description });
      this.#rollback(`it was ${why}`);
    });
  }

  async commit(request: CommitRequest): Promise<CommitNews> {
    this.#requireOpen();
    if (this.#committing !== undefined) throw new TransactionError('this transaction is being committed already');
    this.#committing = this.#commit(request);
    return await this.#committing;
  }

  async rollback(): Promise<void> {
    await this.#committing?.catch(() => undefined);
    this.#rollback('it was rolled back');
  }

  /** See {@link ActivityTransactions.vouch}. Undefined when the user has ended the transaction, so that the lock is not kept any more. */
  vouch(workerId: string, leaseMs: number): boolean | undefined {
    const { writing, file, leases } = this.#parts;
    if (!writing.isInTransaction) return undefined;
    if (!isAlive(this.#connection, file.tables, workerId)) return false;
    leases.remember(workerId, leaseMs);
    this.#hasVouched = true;
    return true;
  }

  async #commit({ workerId, entry, effects = [], before = [] }: CommitRequest): Promise<CommitNews> {
    const { file, writing } = this.#parts;
    const { tables } = file;
    const connection = this.#connection;
    let news: CommitNews;
    try {
      this.#releaseSavepoint();
      requireAlive(connection, tables, workerId);
      const lookup = new InstanceLookup(connection, tables);
      // What came before waits for the lock that this transaction has; when its turn comes, it finds everything done.
      const scope = { connection, tables, workerId, now: file.now(), lookup, handed: [] } satisfies WorkerScope;
      const earlier = before.map((each) => recordProgress(scope, each));
      const { isNew, undelivered } = recordProgress(scope, { ...nothing, entries: [entry], effects });
      if (!isNew(entry)) {
        throw new TransactionError(
          `instance ${JSON.stringify(entry.instanceId)} has an entry ${entry.seq} already; nothing was committed`,
        );
      }
      const all = [...before.flatMap((each) => each.effects), ...effects];
      news = { undelivered: [...earlier.flatMap((each) => each.undelivered), ...undelivered], ...handedNews(scope, all) };
      this.#makeUp();
      await writing.commit();
    } catch (error) {
      this.#rollback('its commit failed');
      throw error;
    }
    this.#end('it was committed');
    return news;
  }

  /** @throws TransactionError when the user has ended the transaction, so that what he did is committed, or lost, without its result. */
  #releaseSavepoint(): void {
    const { writing } = this.#parts;
    writing.seize();
    try {
      if (writing.isInTransaction) {
        this.#connection.database.exec(`RELEASE ${savepoint}`);
        return;
      }
    } catch {
      // No such savepoint: he committed, or rolled back, and began another transaction.
    }
    throw new TransactionError(
      'the activity ended its transaction by itself; it must leave COMMIT and ROLLBACK to Romancy, or its result cannot commit with it',
    );
  }

  /** Nobody could renew a lease for long, or this process was told that it need not. */
  #makeUp(): boolean {
    const { file, leases } = this.#parts;
    const heldMs = file.context.clock.monotonic() - this.#began;
    if (heldMs < longMs && !this.#hasVouched) return false;
    leases.makeUp(this.#connection, { tables: file.tables, now: file.now(), heldMs });
    return true;
  }

  #rollback(why: string): void {
    if (this.#over !== undefined) return;
    this.#undo();
    this.#end(why);
  }

  /** Undoes the user's part; the leases are made up for in what is left of the transaction. Never throws. */
  #undo(): void {
    const { writing } = this.#parts;
    if (!writing.isInTransaction) return;
    writing.seize();
    const { database } = this.#connection;
    try {
      database.exec(`ROLLBACK TO ${savepoint}`);
      if (this.#makeUp()) {
        database.exec('COMMIT');
        return;
      }
    } catch {
      // The savepoint is gone, or the disk is full: then only the leases are not made up for.
    }
    writing.abort();
  }

  #end(why: string): void {
    this.#over = why;
    this.#cancelTimeout();
    this.#parts.onEnd();
    this.#parts.writing.giveBack();
  }

  #requireOpen(): void {
    if (this.#over !== undefined) {
      throw new TransactionError(`this transaction is over: ${this.#over}; an activity can use it until the activity ends`);
    }
  }
}
