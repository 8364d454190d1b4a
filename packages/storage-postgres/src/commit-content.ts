// What is committed at a time.
import type { Effect, ProgressBatch } from '@romancy/core/ports';

/** A batch, and effects whose entry the caller has inserted himself in the same transaction. */
export interface CommitContent extends ProgressBatch {
  readonly granted?: readonly Effect[];
}
