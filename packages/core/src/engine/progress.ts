// What the engine needs from whoever commits progress.
import type { NewHistoryEntry } from '../domain/history.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { Settlement } from '../ports/settlement.js';
import type { EntryExtras } from './entry-extras.js';

/** A promise of durability, shared by all that one run recorded into one commit. */
export interface Commitment {
  /** True once it is committed. */
  readonly durable: boolean;
  /** Resolves when committed. Rejects with LeaseLostError when this worker may write no more, else with the database's refusal. */
  readonly done: Promise<void>;
}

/** Gathers what runs record and commits it in groups, in the order given. */
export interface ProgressSink {
  /**
   * A run lets its code go on, and may record more right after: a commit that could begin may wait for that. Each call is followed by
   * one of {@link ProgressSink.stays}.
   */
  goesOn(): void;
  /** The code has come to rest; what follows from that is recorded at once, without waiting for anything. */
  stays(): void;
  /** @param extras what goes into the same commit; default: nothing. */
  record(entry: NewHistoryEntry, extras?: EntryExtras): Commitment;
  /**
   * Comes into the same commit as what was recorded before it, or a later one. Rejects like {@link Commitment.done}.
   * @param wakeups what is told to others once it is committed, unless it was refused.
   * @param takenMailIds mail that goes in the same commit, refused or not: the instance has no use for it any more.
   */
  settle(settlement: Settlement, wakeups?: readonly Wakeup[], takenMailIds?: readonly string[]): Promise<'done' | 'refused'>;
}
