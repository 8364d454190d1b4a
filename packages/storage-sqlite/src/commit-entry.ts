// The commit of a single entry, which is what each step of a run comes to that has nobody beside it.
import type { ProgressBatch, ProgressResult } from '@romancy/core/ports';
import { statementText } from './statement-text.js';
import type { WriteScope } from './write-scope.js';

// The fence is in it: no row of the worker, no entry.
const insert = statementText(
  ({ history, instances, workers }) => `INSERT INTO ${history} (id, seq, kind, call_id, position, data, due_at, recorded_at)
    SELECT id, ?, ?, ?, ?, ?, ?, ? FROM ${instances}
      WHERE instance_id = ? AND EXISTS (SELECT 1 FROM ${workers} WHERE worker_id = ?)
    ON CONFLICT (id, seq) DO NOTHING`,
);

/** Whether there is nothing in it but one entry that concerns its own instance alone. */
export function isEntryAlone({ starts, entries, effects, subscriptions, takenMail, settlements }: ProgressBatch): boolean {
  const others = starts.length + effects.length + subscriptions.length + takenMail.length + settlements.length;
  return entries.length === 1 && others === 0;
}

/**
 * By one statement, which is a transaction by itself: as whoever keeps the result of a step by hand would do it. What begins, looks up,
 * checks and ends is half of the work of a commit, apart from what the disk does.
 * @returns null when nothing was written: there is such an entry, no such instance, or the worker is not alive. Which of them, and what
 * follows from it, is for the commit of a whole batch to find out.
 * @param scope on its connection no transaction is open.
 */
export function commitEntry(
  { connection, tables, now }: WriteScope,
  { workerId, entries }: ProgressBatch,
): ProgressResult | null {
  const { instanceId, seq, kind, callId, position, data, dueAt } = entries[0]!;
  const values = [seq, kind, callId, position, data, dueAt, now, instanceId, workerId];
  if (connection.run(insert(tables), ...values).changes === 0) return null;
  return { conflicts: [], refused: [], undelivered: [], wakeups: [], attention: [], now };
}
