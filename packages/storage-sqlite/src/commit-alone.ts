// The commit of a single start or entry: what each step of a run comes to that has nobody beside it.
import type { NewHistoryEntry, NewInstance, ProgressBatch, ProgressResult } from '@romancy/core/ports';
import { inputInRow } from './input-place.js';
import { startColumns, startValues } from './start-instance.js';
import { statementText } from './statement-text.js';
import type { WriteScope } from './write-scope.js';

// The fence is in both: no row of the worker, no start and no entry.
const insertStart = statementText(
  ({ instances, workers }) => `INSERT INTO ${instances} (${startColumns}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
      WHERE EXISTS (SELECT 1 FROM ${workers} WHERE worker_id = ?)
    ON CONFLICT (instance_id) DO NOTHING`,
);
const insertEntry = statementText(
  ({ history, instances, workers }) => `INSERT INTO ${history} (id, seq, kind, call_id, position, data, due_at, recorded_at)
    SELECT id, ?, ?, ?, ?, ?, ?, ? FROM ${instances}
      WHERE instance_id = ? AND EXISTS (SELECT 1 FROM ${workers} WHERE worker_id = ?)
    ON CONFLICT (id, seq) DO NOTHING`,
);

/**
 * By one statement, which is a transaction by itself: as whoever keeps the result of a step by hand would do it. What begins, looks up,
 * checks and ends is half of the work of a commit, apart from what the disk does.
 * @returns null when nothing was written: it is another kind of batch, or it is there already, or there is no such instance, or the worker is
 * not alive. Which of them, and what follows from it, is for the commit of a whole batch to find out.
 * @param scope on its connection no transaction is open.
 */
export function commitAlone(scope: WriteScope, batch: ProgressBatch): ProgressResult | null {
  const { workerId, starts, entries, effects, subscriptions, takenMail, settlements } = batch;
  const others = effects.length + subscriptions.length + takenMail.length + settlements.length;
  if (others > 0 || starts.length + entries.length !== 1) return null;
  const isDone = entries.length === 1 ? writeEntry(scope, workerId, entries[0]!) : writeStart(scope, workerId, starts[0]!);
  return isDone ? nothingElse(scope) : null;
}

/** @returns false: nothing was written, for one of the reasons that {@link commitAlone} names. */
export function writeEntry({ connection, tables, now }: WriteScope, workerId: string, entry: NewHistoryEntry): boolean {
  const { instanceId, seq, kind, callId, position, data, dueAt } = entry;
  const values = [seq, kind, callId, position, data, dueAt, now, instanceId, workerId];
  return connection.run(insertEntry(tables), ...values).changes === 1;
}

/** The answer to a commit that took effect, and of which nothing else came. */
export function nothingElse({ now }: WriteScope): ProgressResult {
  return { conflicts: [], refused: [], undelivered: [], wakeups: [], attention: [], now };
}

function writeStart({ connection, tables, now }: WriteScope, workerId: string, start: NewInstance): boolean {
  // A long input is a row of its own.
  if (inputInRow(start.input) === null) return false;
  return connection.run(insertStart(tables), ...startValues(start, workerId, now), workerId).changes === 1;
}
