// How a worker takes instances that are due.
import type { HistoryEntry } from '../domain/history.js';
import type { RunSignals } from './run-signals.js';

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
