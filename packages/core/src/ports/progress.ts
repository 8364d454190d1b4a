// All that a process commits at once, and what that comes to.
import type { NewHistoryEntry } from '../domain/history.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { Effect } from './effect.js';
import type { NewInstance } from './new-instance.js';
import type { Mail } from './run-signals.js';
import type { Settlement } from './settlement.js';
import type { NewSubscription } from './subscription.js';
import type { WithWakeups } from './with-wakeups.js';

/** The instance has received this piece of mail; it is removed in the commit that records it. */
export interface TakenMail {
  readonly instanceId: string;
  readonly mailId: string;
}

/** All that a process did since its last commit. At most one settlement per instance; its entries come with it or before. */
export interface ProgressBatch {
  readonly workerId: string;
  readonly starts: readonly NewInstance[];
  readonly entries: readonly NewHistoryEntry[];
  readonly effects: readonly Effect[];
  readonly subscriptions: readonly NewSubscription[];
  readonly takenMail: readonly TakenMail[];
  readonly settlements: readonly Settlement[];
  /**
   * The last marks of instances that were handed mail (see {@link HandedMail}) and got it: attention that has no other cause is no reason to refuse
   * a park, nor to let the next mail be read. A mark with which something has happened to the instance since says nothing. Default: none.
   */
  readonly seen?: readonly { readonly instanceId: string; readonly mark: string }[];
  /** What the batch comes to for others if nothing of it is refused; for a storage that sends notes with its commits. Default: nothing. */
  readonly wakeups?: readonly Wakeup[];
}

/** A message out of a queue, that came to an instance of this worker. */
export interface HandedMail {
  readonly instanceId: string;
  readonly mail: Mail;
  /** Stands for all that had happened to the instance up to this mail, see {@link ProgressBatch.seen}. */
  readonly mark: string;
}

/** What a commit came to beyond what it was asked for. */
export interface CommitNews extends WithWakeups {
  /** Messages for one instance that is not there or has ended. They are lost. */
  readonly undelivered: readonly { readonly messageId: string; readonly instanceId: string }[];
  /** Of messages that went back to a queue in this commit, or waited there, and came to an instance that this worker does not own: for that one by name. */
  readonly wakeups: readonly Wakeup[];
  /** Ids of instances of this worker to which a message out of a queue came in this commit: they have attention, and their signals are to be read. */
  readonly attention: readonly string[];
  /**
   * Likewise, but nothing else has come to the instance that this worker does not know of, and the message is here: nothing is to be read. Default: none; it
   * is for storages from which reading is a journey.
   */
  readonly handed?: readonly HandedMail[];
}

export interface ProgressResult extends CommitNews {
  /** Ids of starts that were refused, since an instance of another start has this id. */
  readonly conflicts: readonly string[];
  /** Ids of settlements that were refused; the instance is still owned, and its signals tell why. */
  readonly refused: readonly string[];
  /** The storage's clock. */
  readonly now: number;
}
