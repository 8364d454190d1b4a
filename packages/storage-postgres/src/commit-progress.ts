// Commits a batch of progress and tells what of it was refused.
import type { ProgressResult } from '@romancy/core/ports';
import type { CommitCall } from './commit-call.js';
import type { CommitContent } from './commit-content.js';
import type { Row } from './connection.js';
import { leaseLost } from './fence.js';
import type { Statement } from './sql.js';

/** @param rows sends the statement: to a connection of its own, or within a transaction. */
export async function commitProgress(
  rows: (statement: Statement) => Promise<readonly Row[]>,
  call: CommitCall,
  batch: CommitContent,
): Promise<ProgressResult> {
  const [answer] = await rows(call.of(batch));
  const [alive, clock, conflicts, refused, undelivered, undeliveredAtEnd] = answer!;
  if (alive !== 't') throw leaseLost(batch.workerId);
  return {
    conflicts: list<string>(conflicts!),
    refused: list<string>(refused!),
    undelivered: [...list<Undelivered>(undelivered!), ...list<Undelivered>(undeliveredAtEnd!)],
    now: Number(clock),
  };
}

type Undelivered = ProgressResult['undelivered'][number];

function list<T>(json: string | null): readonly T[] {
  return json === null ? [] : (JSON.parse(json) as T[]);
}
