// The part of the storage port by which runs are claimed and their progress is committed.
import type { ChannelMode } from '../domain/channel.js';
import type { HistoryEntry, NewHistoryEntry } from '../domain/history.js';
import type { EndStatus, WaitingStatus } from '../domain/instance.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { OutgoingMessage } from './message-store.js';
import type { NewOutboxEvent } from './outbox-store.js';
import type { WithWakeups } from './with-wakeups.js';

/** A new instance. */
export interface NewInstance {
  readonly instanceId: string;
  readonly workflowName: string;
  /** JSON text made by the codec. */
  readonly input: string;
  /** Unique to this call of start, so that a repeated commit knows its own instance from somebody else's. */
  readonly startToken: string;
  /** True: the committing worker owns it at once, status `running`. False: status `pending`, claimable by anybody. */
  readonly owned: boolean;
  /** Who started it from within a workflow, and gets mail under the topic of the child (`childTopic`) when it ends. Default: nobody. */
  readonly parent?: {
    readonly instanceId: string;
    /** The parent's mail in place of that when the start is refused as a conflict; left out while the parent has mail with this id. */
    readonly conflict: Pick<OutgoingMessage, 'messageId' | 'data'>;
  };
}

/**
 * How a run leaves the process that owned it. Each is one update of the instance's row, on the condition that this worker owns it by
 * the claim that the settlement names.
 *
 * - `park`: put away with an open wait. Refused when the instance has attention (see {@link RunSignals}).
 * - `release`: handed back, claimable at once (`wakeAt` null) or from `wakeAt` on. Never refused.
 * - `stall`: status `stalled`, `error` kept in view, claimable from `wakeAt` on. Never refused.
 * - `finish`: ended. `completed` and `failed` are refused when a cancellation was requested. With the row go the instance's
 *   mail, subscriptions, memberships and seeks; mail that it got from the queue of a `competing` topic goes back there, in its old place.
 * - `recur`: begins anew with another input, under the same id, so whoever knows the id, and all that is subscribed, joined and
 *   unread, stays as it is, but for its seeks, which end, and what it got by them and did not take, which goes back. What was goes into a row of its own with the status `recurred`. Refused when a cancellation was requested.
 */
export type Settlement = SettledClaim &
  (
    | { readonly type: 'park'; readonly status: WaitingStatus; readonly wakeAt: number | null }
    | { readonly type: 'release'; readonly wakeAt: number | null }
    | { readonly type: 'stall'; readonly wakeAt: number; readonly error: string }
    | {
        readonly type: 'finish';
        readonly status: EndStatus;
        /** JSON text; null unless completed. */
        readonly output: string | null;
        /** JSON text of the error; null unless failed. */
        readonly error: string | null;
        /** JSON text: the compensations that failed for good. Default: none did. */
        readonly compensationFailures?: string;
        /** Sent with the end, unless it is refused: its parent's mail. Default: nothing. */
        readonly messages?: readonly OutgoingMessage[];
        /** Children whose cancellation is asked for with the end, unless it is refused. Those that have ended are left alone. Default: none. */
        readonly cancels?: readonly CancelOrder[];
      }
    | {
        readonly type: 'recur';
        /**
         * The id of the row of what was. It gets the input, the times and the history up to here of the instance as it is, and ends now; what
         * begins is created now. When the id is
         * taken by anybody else, the storage puts something unique behind it.
         */
        readonly archiveId: string;
        readonly input: string;
        /** The first entry of what begins: its `seq` is above all before, and from it on history is handed out. */
        readonly carried: NewHistoryEntry;
        /** Its subscriptions that stay; all others go; what mail came by them stays. */
        readonly keep: readonly Pick<NewSubscription, 'topic' | 'filter'>[];
        /** True: this worker goes on with it at once, and that is a claim of its own: the next number. False: claimable by anybody. */
        readonly owned: boolean;
      }
  );

export interface CancelOrder {
  readonly instanceId: string;
  readonly reason: string | null;
  /** Only if this instance has started it: its id may have been taken by another start. Default: whoever has. */
  readonly childOf?: string;
}

interface SettledClaim {
  readonly instanceId: string;
  /**
   * The number of the claim that it ends: {@link ClaimedRun.claim} of the run, 1 after a start with `owned`. The owner alone would not
   * tell: a park takes effect and its answer is lost, mail comes, the same worker claims the instance again, the park is repeated; it
   * must not put away the later run. So one that does not name the instance's latest claim changes nothing and counts as done.
   */
  readonly claim: number;
}

/** A comparison with one place of what is sent. */
export interface TopicFilter {
  /** Member names and array indexes from the root of the mail's JSON text. */
  readonly path: readonly (string | number)[];
  /** Equal to this, type included. A place that is missing equals nothing. */
  readonly equals: string | number | boolean | null;
}

/** The instance takes what is sent to the topic from the commit on. Again: no effect. */
export interface NewSubscription {
  readonly instanceId: string;
  readonly topic: string;
  /** The topic's mode, which was fixed before (see `MessageStore.fixMode`) and is written again with it. Default: the topic has none, as those of events. */
  readonly mode?: ChannelMode;
  /** Takes only what has this. Several subscriptions of one topic that differ in this count as one that takes what any of them takes. Default: all. */
  readonly filter?: TopicFilter;
  /** The number of the entry with which it comes: what the instance itself publishes by an earlier one does not reach it, and in
   * a batch in which that entry was there already the subscription is left out, as its effects are: it may be over since. Default: 0, no entry. */
  readonly seq?: number;
}

/**
 * What an entry brings about beyond its instance. Takes place in the commit that writes the entry, and never again: in a batch in which the entry was there
 * already, as after a lost answer, its effects are left out.
 *
 * The effects of one batch take place after its taken mail is removed, and in this order, whatever their order in the list: joins (with the batch's starts and subscriptions), messages, `unseek`, `seek`, then
 * what is queued is handed to seekers, then leaves and `unsubscribe`, events, cancels, `compensating`; the settlements follow. The engine never has two of one
 * instance about the same topic or group in a batch for which this order would be wrong.
 */
export type Effect = {
  /** The entry: `(instanceId, seq)`. */
  readonly instanceId: string;
  readonly seq: number;
} & (
  | { readonly type: 'message'; readonly message: OutgoingMessage }
  /** Into the outbox. */
  | { readonly type: 'event'; readonly event: NewOutboxEvent }
  | { readonly type: 'join' | 'leave'; readonly group: string }
  /** No subscription of the topic any more, nor mail of it; what came from the queue goes back there. */
  | { readonly type: 'unsubscribe'; readonly topic: string }
  /**
   * The instance waits for one message of a `competing` topic to which it is subscribed: it gets it as mail, now or as soon as there is one.
   * No effect while it waits for one already, and on other topics.
   */
  | { readonly type: 'seek'; readonly topic: string }
  /** It does not any more; what it got and did not take goes back. */
  | { readonly type: 'unseek'; readonly topic: string }
  /** The code is over, and what it completed is undone: the instance's status is `compensating` from here on, owned or not, until it ends. */
  | { readonly type: 'compensating' }
  /** Like a request from outside. */
  | ({ readonly type: 'cancel' } & { readonly order: CancelOrder })
);

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

/** A message out of a queue, that came to an instance of this worker. */
export interface HandedMail {
  readonly instanceId: string;
  readonly mail: Mail;
  /** Stands for all that had happened to the instance up to this mail, see {@link ProgressBatch.seen}. */
  readonly mark: string;
}

export interface ProgressResult extends CommitNews {
  /** Ids of starts that were refused, since an instance of another start has this id. */
  readonly conflicts: readonly string[];
  /** Ids of settlements that were refused; the instance is still owned, and its signals tell why. */
  readonly refused: readonly string[];
  /** The storage's clock. */
  readonly now: number;
}

/** A message or an event that waits for its instance. */
export interface Mail {
  readonly mailId: string;
  readonly topic: string;
  /** JSON text. */
  readonly data: string;
  /** It came from the queue of a `competing` topic: by a `seek`, each of which brings one at most; and it goes back there if it is not taken. */
  readonly isQueued: boolean;
}

/**
 * What happened to an owned instance from outside. Whoever causes one of these sets the instance's `attention` in the same
 * transaction; `claim` and `readSignals` clear it and then, with a newer view of the data, read what is there: so nothing that
 * comes in between is overlooked, and a park that would overlook it is refused.
 */
export interface RunSignals {
  readonly instanceId: string;
  /** A cancellation was requested; `reason` may be null. */
  readonly cancel: { readonly reason: string | null } | null;
  /** All mail that is there and not yet taken, oldest first, up to `mailLimit`. */
  readonly mail: readonly Mail[];
}

/** An instance that now belongs to the claiming worker. */
export interface ClaimedRun extends RunSignals {
  readonly workflowName: string;
  readonly input: string;
  readonly createdAt: number;
  /**
   * The number of this claim among all of the instance, for its {@link Settlement}; 1 when it never ran. A start with `owned` counts
   * as a claim, and so does each time that it is handed out again to the same worker.
   */
  readonly claim: number;
  /** Who started it from within a workflow, or null. */
  readonly parentId: string | null;
  /** How often it has recurred. */
  readonly generation: number;
  /** False: the input comes from an event that started it, and nobody has held it against the workflow's schema. */
  readonly isInputChecked: boolean;
  /** All numbers up to this one are used: by history of before it recurred, which is not handed out. 0 as a rule. */
  readonly historyStart: number;
  /** By `seq`, the first `historyLimit` entries above `historyStart`. */
  readonly history: readonly HistoryEntry[];
  /** False: more entries follow; `history()` has them. */
  readonly historyComplete: boolean;
}

export interface ClaimRequest {
  readonly workerId: string;
  /** Only instances of these workflows. */
  readonly workflowNames: readonly string[];
  /** At most so many; 0: claim nothing, but tell `attention` and `nextDueAt`. */
  readonly limit: number;
  readonly historyLimit: number;
  readonly mailLimit: number;
  /**
   * Null as a rule. After a claim whose answer was lost: the ids of all instances that this worker knows to own. Those that it owns
   * beyond these are then handed out (again) before others, whatever the limit, since nobody else would ever run them.
   */
  readonly holding: readonly string[] | null;
}

export interface ClaimResult {
  /** By due time, the longest due first. */
  readonly claimed: readonly ClaimedRun[];
  /** Ids of instances that this worker owned before the call and that have attention, at most 1,000. */
  readonly attention: readonly string[];
  /** When the next instance of these workflows that nobody owns is due (it may be past when `limit` was reached); null: none. */
  readonly nextDueAt: number | null;
  readonly now: number;
}

/**
 * Every member that takes a `workerId` rejects with LeaseLostError, and changes nothing, when that worker is not alive.
 * All reject with StorageUnavailableError when it is worth trying the same call again; every call can be repeated without harm.
 */
export interface RunStore {
  /**
   * All or nothing, except for the starts and settlements named in the result. Repeating a batch that took effect changes nothing
   * and gives an answer with which the caller can go on: entries with the same `(instanceId, seq)` are kept as they are, a start
   * with the same token is no conflict, a settlement of an instance that this worker no longer owns, or owns by another claim, counts as
   * done.
   */
  commit(batch: ProgressBatch): Promise<ProgressResult>;
  /**
   * Takes due instances that nobody owns. Concurrent claims never get the same one and do not wait for each other. The one
   * transition that is not repeatable as it stands: see {@link ClaimRequest.holding}.
   */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /**
   * Reads the signals of instances that this worker owns, whether they have attention or not (so that it can be repeated), and clears
   * their attention; instances that it does not own are left out of the answer.
   */
  readSignals(request: {
    readonly workerId: string;
    readonly instanceIds: readonly string[];
    readonly mailLimit: number;
  }): Promise<readonly RunSignals[]>;
  /** Mail of one topic after `afterMailId`, oldest first, for runs whose mail did not fit the limit of a claim. */
  mail(request: {
    readonly instanceId: string;
    readonly topic: string;
    readonly afterMailId: string | null;
    readonly limit: number;
  }): Promise<readonly Mail[]>;
  /** Entries with `seq` greater than `afterSeq`, ascending. */
  history(request: {
    readonly instanceId: string;
    readonly afterSeq: number;
    readonly limit: number;
  }): Promise<readonly HistoryEntry[]>;
}
