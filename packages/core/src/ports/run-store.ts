// The part of the storage port by which runs are claimed and their progress is committed.
import type { HistoryEntry } from '../domain/history.js';
import type { ClaimRequest, ClaimResult } from './claim.js';
import type { ProgressBatch, ProgressResult } from './progress.js';
import type { Mail, RunSignals } from './run-signals.js';

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
