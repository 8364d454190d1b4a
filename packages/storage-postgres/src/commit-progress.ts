// Commits a batch of progress and tells what of it was refused.
import type { ProgressBatch, ProgressResult } from '@romancy/core/ports';
import type { CommitCall } from './commit-function.js';
import type { Row } from './connection.js';
import { leaseLost } from './fence.js';
import type { Statement } from './sql.js';

/** @param rows sends the statement: to a connection of its own, or within a transaction. */
export async function commitProgress(
  rows: (statement: Statement) => Promise<readonly Row[]>,
  call: CommitCall,
  batch: ProgressBatch,
): Promise<ProgressResult> {
  const [answer] = await rows(call.of(batch));
  const [alive, clock, conflicts, refused] = answer!;
  if (alive !== 't') throw leaseLost(batch.workerId);
  return { conflicts: ids(conflicts!), refused: ids(refused!), now: Number(clock) };
}

function ids(json: string | null): readonly string[] {
  return json === null ? [] : (JSON.parse(json) as string[]);
}
