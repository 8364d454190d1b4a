// The part of the storage port by which a process shows that it lives and the death of others is found.
import type { WithWakeups } from './with-wakeups.js';

/** A worker that was declared dead, and what it left. */
export interface ReapedWorker {
  readonly workerId: string;
  /** How many of its instances can be claimed by others now. */
  readonly released: number;
}

/** A worker whose row names a presence that the storage does not see. */
export interface MissingWorker {
  readonly workerId: string;
  /** What its row says. */
  readonly presence: string;
}

/** What a worker renews. */
export interface LeaseRenewal {
  /** Pushes the end of the lease to now + `leaseMs`. */
  readonly leaseMs: number;
  /**
   * {@link Notifier.presence} of the worker's process. Written to its row if the storage itself sees that sign at this moment, otherwise
   * the row says none. Storages that know of no such signs (SQLite) ignore it.
   */
  readonly presence: string | null;
  /** The workflows of which {@link PendingWork.nextDueAt} is told. */
  readonly workflowNames: readonly string[];
}

export interface UpkeepRequest {
  readonly workerId: string;
  /** Null: a look, for the dead alone; the lease stays as it is, and the answer tells nothing of work. */
  readonly renewal: LeaseRenewal | null;
  /**
   * Workers that an earlier answer called missing, long enough ago: those whose rows still say that presence, which the storage still does
   * not see once it has locked the row, are declared dead.
   */
  readonly suspects: readonly MissingWorker[];
}

/** What is there to do, for a worker that does not claim. */
export interface PendingWork {
  /** When the next instance that nobody owns is due (it may be past); null: none. As in the answer to a claim. */
  readonly nextDueAt: number | null;
  /** Ids of instances that this worker owns and that have attention, at most 1,000. */
  readonly attention: readonly string[];
  /** When the outbox has something to claim next (it may be past); null: nothing. As in the answer to `OutboxStore.claim`, with what
   * this very call handed back. */
  readonly outboxDueAt: number | null;
}

/** `wakeups` tell of instances that were released, at most 1,000, and of one event of the outbox, if there were any. */
export interface UpkeepResult extends WithWakeups {
  /** False: the row is gone, the worker was declared dead; nothing was done then, and all lists are empty. */
  readonly alive: boolean;
  /** The storage's clock. */
  readonly now: number;
  /** What the worker's row says now. */
  readonly presence: string | null;
  readonly reaped: readonly ReapedWorker[];
  /** Null after a look. */
  readonly work: PendingWork | null;
  /** Ids of other workers that serve at least one of the workflows that this one registered with, at most 1,000. */
  readonly peers: readonly string[];
  /** Ids of other workers that registered as relayers, whatever workflows they serve, at most 1,000. */
  readonly relayers: readonly string[];
  /** Whether another worker whose row says a presence owns instances, or events of the outbox: then its death could be seen by a look. */
  readonly othersOwnWork: boolean;
  /** Other workers that own instances or events and whose presence the storage does not see, at most 100. Not dead yet: see `suspects`. */
  readonly missing: readonly MissingWorker[];
}

/**
 * One row per process start. A worker lives as long as its row is there and may write only while it is: every transition that
 * takes a `workerId` checks the row in the same transaction, in a way that conflicts with the removal by {@link LeaseStore.upkeep}
 * (PostgreSQL: `FOR KEY SHARE` against `DELETE`), so that a worker is either seen alive by a commit or was dead before it.
 */
export interface LeaseStore {
  /**
   * Writes the worker's row, without a presence. Instances `stalled` in one of `workflowNames` become claimable, since this process may
   * bring the code that fits them. The same `workerId` again: the row is renewed. From here on the workflows of `workflowNames` start on the
   * topics of `starts`, and on no others, also while no worker is there (see `MessageStore.deliver`).
   */
  register(worker: {
    readonly workerId: string;
    readonly serviceName: string;
    readonly leaseMs: number;
    readonly workflowNames: readonly string[];
    readonly starts: readonly { readonly workflowName: string; readonly topic: string }[];
    /** It sends events of the outbox. Default false. */
    readonly isRelayer?: boolean;
  }): Promise<{ readonly now: number }>;
  /**
   * Renews the lease, and declares dead every other worker whose lease has run out, whose process is known to be gone, or that is rightly
   * suspected; removes its row and makes all instances and events of the outbox that it had claimable, each in the same transaction as its worker's removal. Two
   * at once: each dead worker is reported by one. As a rule nobody is dead, and it is one statement on PostgreSQL.
   */
  upkeep(request: UpkeepRequest): Promise<UpkeepResult>;
  /** A clean stop: like being reaped, by oneself. The row may be gone already. `wakeups` as of upkeep. */
  retire(worker: { readonly workerId: string }): Promise<WithWakeups & { readonly released: number }>;
}
