// Activity transactions in memory: values that become visible together with the activity's entry, or never.
import { TransactionError } from '../domain/errors.js';
import { openActivityTransaction, type ActivityTransaction, type ActivityTransactions } from '../ports/activity-transaction.js';
import type { CommitNews } from '../ports/progress.js';
import type { MemoryDatabase } from './memory-database.js';
import { hasEntry } from './memory-history.js';
import { commitProgress } from './memory-progress.js';
import type { MemorySession } from './memory-session.js';

/** What {@link memoryTransaction} gives: a map whose changes commit together with the activity's result. */
export interface MemoryTransaction {
  /** The value as this transaction sees it: its own change, else what is committed now. Undefined when there is none. */
  get(key: string): unknown;
  /** Takes a copy; the value must be one that `structuredClone` takes. */
  set(key: string, value: unknown): void;
  delete(key: string): void;
}

/**
 * The transaction of the activity that was given this `ctx`, on a memory storage; opened at the first call. What is committed is to be
 * seen in `database.values`. Changes of two transactions to one key: the later commit wins.
 * @throws TransactionError when `ctx` belongs to no activity, the app runs on another storage, or the attempt is over.
 */
export async function memoryTransaction(ctx: object): Promise<MemoryTransaction> {
  return (await openActivityTransaction(ctx, 'memory')) as MemoryTransaction;
}

export function createMemoryTransactions(session: MemorySession): ActivityTransactions {
  return {
    blocksCommits: false,
    begin: ({ signal }) =>
      session.run((database) => {
        signal.throwIfAborted();
        return new BufferedTransaction(session, database);
      }),
  };
}

/** Gathers changes, and applies them at the commit. */
class BufferedTransaction implements ActivityTransaction {
  readonly handle: MemoryTransaction;
  readonly #session: MemorySession;
  readonly #changes = new Map<string, { readonly value: unknown } | 'deleted'>();
  #over = false;

  constructor(session: MemorySession, database: MemoryDatabase) {
    this.#session = session;
    this.handle = {
      get: (key) => {
        this.#requireOpen();
        const change = this.#changes.get(key);
        if (change === undefined) return structuredClone(database.values.get(key));
        return change === 'deleted' ? undefined : structuredClone(change.value);
      },
      set: (key, value) => {
        this.#requireOpen();
        this.#changes.set(key, { value: structuredClone(value) });
      },
      delete: (key) => {
        this.#requireOpen();
        this.#changes.set(key, 'deleted');
      },
    };
  }

  async commit({ workerId, entry, effects = [] }: Parameters<ActivityTransaction['commit']>[0]): Promise<CommitNews> {
    this.#requireOpen();
    this.#over = true;
    return await this.#session.run((database, now) => {
      database.requireAlive(workerId);
      // Before the first change, since what throws must leave nothing.
      if (hasEntry(database, entry) || !database.instances.has(entry.instanceId)) {
        throw new TransactionError(
          `instance ${JSON.stringify(entry.instanceId)} has an entry ${entry.seq} already, or does not exist; nothing was committed`,
        );
      }
      const alone = { workerId, starts: [], entries: [entry], effects, subscriptions: [], takenMail: [], settlements: [] };
      const { undelivered, wakeups, attention, handed = [] } = commitProgress(database, alone, now);
      for (const [key, change] of this.#changes) {
        if (change === 'deleted') database.values.delete(key);
        else database.values.set(key, change.value);
      }
      return { undelivered, wakeups, attention, handed };
    });
  }

  async rollback(): Promise<void> {
    await Promise.resolve();
    this.#over = true;
    this.#changes.clear();
  }

  #requireOpen(): void {
    if (this.#over) throw new TransactionError('this transaction is over; an activity can use it until the activity ends');
  }
}
