// Transactions of activities: what an activity writes through one commits together with its result.
import { TransactionError } from '../domain/errors.js';
import type { NewHistoryEntry } from '../domain/history.js';
import type { Effect } from './effect.js';
import type { CommitNews, ProgressBatch } from './progress.js';

/** Progress of one instance that is recorded but not known to be durable. */
export type PendingProgress = Pick<ProgressBatch, 'starts' | 'entries' | 'effects' | 'subscriptions' | 'takenMail'>;

/** An open transaction of one attempt of one activity. */
export interface ActivityTransaction {
  /** What the adapter hands to the user: its own type, known to the adapter alone. */
  readonly handle: unknown;
  /**
   * Writes what is in `before`, one after the other, if there is any, then the entry and its effects, checks in the same transaction that the worker
   * is alive, and commits. Rejects with LeaseLostError (nothing is committed), with StorageUnavailableError when the outcome is not known after the
   * storage did what it could to find out, else with the database's error (nothing is committed).
   */
  commit(request: {
    readonly workerId: string;
    readonly entry: NewHistoryEntry;
    /** What the entry brings about: it commits with it, or not at all. Default: nothing. */
    readonly effects?: readonly Effect[];
    /**
     * What the instance recorded before the entry and is not known to be durable, where {@link ActivityTransactions.blocksCommits}; else it is durable
     * already when this is called. It becomes durable with the entry, so that history has no gap. It is on its way through `runs.commit` as well, and may
     * be there already; whichever comes second changes nothing.
     *
     * Each as a commit of its own would be, since within one the order of effects is not that of the entries (see {@link Effect}). The last may be
     * written together with the entry and its effects.
     */
    readonly before?: readonly PendingProgress[];
  }): Promise<CommitNews>;
  /** Undoes everything. Never rejects; may come after a failed commit. */
  rollback(): Promise<void>;
}

/** Opens transactions for activities. */
export interface ActivityTransactions {
  /**
   * Whether an open one keeps `runs.commit` waiting, as where one alone can write. To wait for a commit before it ends would then be to wait for ever;
   * so its own commit takes along what is on its way there.
   */
  readonly blocksCommits: boolean;
  begin(options: { readonly signal: AbortSignal }): Promise<ActivityTransaction>;
}

/** Under this key an activity's context carries its transaction slot. */
export const transactionSlot: unique symbol = Symbol.for('@romancy/activity-transaction');

/** What the context carries: opens the attempt's transaction at the first call, hands out the same at later ones. */
export interface TransactionSlot {
  readonly storageKind: string;
  open(): Promise<ActivityTransaction>;
}

/**
 * For adapters: the handle of the transaction that belongs to an activity's context.
 * @throws TransactionError when the object is no activity context, or the app runs on another kind of storage.
 */
export async function openActivityTransaction(context: object, storageKind: string): Promise<unknown> {
  const slot = (context as { readonly [transactionSlot]?: TransactionSlot })[transactionSlot];
  if (slot === undefined) {
    throw new TransactionError('a transaction belongs to an activity: pass the ctx that the activity function was given');
  }
  if (slot.storageKind !== storageKind) {
    throw new TransactionError(
      `this app stores in ${slot.storageKind}; a transaction on ${storageKind} cannot commit together with it`,
    );
  }
  return (await slot.open()).handle;
}
