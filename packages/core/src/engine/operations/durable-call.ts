// What all durable calls of a run have in common, and what they may ask of the run.
import type { HistoryEntry, HistoryKind } from '../../domain/history.js';
import type { WaitingStatus } from '../../domain/instance.js';
import type { ActivityTransaction } from '../../ports/activity-transaction.js';
import type { CallIdentity } from '../call-ids.js';
import type { Verb } from '../determinism.js';
import type { ExtraFacts } from '../entry-extras.js';
import type { Mailbox } from '../mailbox.js';
import type { RunServices } from '../run-services.js';
import type { Compensable } from '../saga.js';
import type { Subscriptions } from '../subscriptions.js';

/** A call that only waits: until a time, for something from outside, or for whichever comes first. */
export interface Waiting {
  readonly status: WaitingStatus;
  /** By the storage's clock; null: no time limit. */
  readonly dueAt: number | null;
}

/** An outcome that is to be recorded and applied when its turn comes. */
export interface Proposal {
  readonly call: DurableCall;
  readonly kind: HistoryKind;
  readonly data: string | null;
  readonly dueAt: number | null;
  /** What goes into the same commit: mail that the outcome consumes, what it brings about. */
  readonly extras?: ExtraFacts | undefined;
  /** The transaction in which the entry is to be committed, instead of with the rest. */
  readonly transaction?: ActivityTransaction | undefined;
  /** The transaction could not be committed: the outcome did not take place. */
  readonly refused?: ((error: unknown) => void) | undefined;
  /** The transaction waited too long for what is before it, and was undone: the outcome did not take place, and is to be brought about once more. */
  readonly again?: (() => void) | undefined;
  /** Asked when its turn has come: true, it is not handed out, since it is the code's no more, and the call goes on waiting. */
  readonly voided?: (() => boolean) | undefined;
  /** Called when the entry is durable. */
  readonly committed?: (() => void) | undefined;
}

/** One durable call whose outcome the code does not have yet. */
export interface DurableCall extends CallIdentity {
  readonly verb: Verb;
  /**
   * Takes an entry of this call, on replay and on the first run alike.
   * @returns true when the call is over: its outcome was handed to the code.
   */
  apply(entry: HistoryEntry): boolean;
  /** History is used up and the call is still open: begin, or go on, with the real thing. Called once. */
  goLive(): void;
  /** Set by who calls {@link DurableCall.goLive}, before it does. False at first. */
  isLive: boolean;
  /** Not null while nothing but time or mail can move the call. */
  readonly waiting: Waiting | null;
  /** The due time of `waiting` has come. */
  expire(): void;
  /** Mail came in. */
  onMail?(): void;
  /** The run leaves memory, or is cancelled: abort what is under way and propose nothing more. */
  abandon(reason: Error): void;
}

/** The run, as its calls see it. */
export interface CallHost {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly services: RunServices;
  readonly mailbox: Mailbox;
  /** True when no new attempt may begin, since the process hands over its runs. */
  readonly draining: boolean;
  /** What the instance is subscribed to, as far as its code has come. */
  readonly subscriptions: Subscriptions;
  /** Records an entry at the call, with what goes into the same commit, and applies it. */
  recordAtCall(
    call: DurableCall,
    entry: { readonly kind: HistoryKind; readonly data: string | null; readonly dueAt: number | null },
    extras?: ExtraFacts,
  ): void;
  /** Reads mail and cancellations. Resolves when a reading that began after this call is over. */
  readSignals(): Promise<void>;
  /** An activity completed that can be undone. */
  compensable(completed: Compensable): void;
  propose(proposal: Proposal): void;
  /** Resolves when everything recorded so far is committed; rejects when it never will be. */
  durable(): Promise<void>;
  /** A call cannot go on for a reason that its code must not see: the run is broken off. */
  broken(error: Error): void;
  /** Brackets work under way, during which the run cannot be put away. */
  workBegins(): void;
  workEnds(): void;
}
