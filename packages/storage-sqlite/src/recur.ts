// An instance begins anew with another input: what was gets a row of its own.
import { randomUUID } from 'node:crypto';
import type { Settlement } from '@romancy/core/ports';
import type { InstanceRow } from './instance-lookup.js';
import { inputInRow, keepInput } from './input-place.js';
import { givenUpColumns, handOut, putBack, type GivenUpMail } from './message-queue.js';
import { recordEntry } from './record-progress.js';
import type { WorkerScope } from './worker-scope.js';
import { filterTexts } from './topic-filter.js';

type Recurrence = Extract<Settlement, { type: 'recur' }>;

/** @returns false when a cancellation was requested; then nothing of it was done. */
export function recur(scope: WorkerScope, row: InstanceRow, recurrence: Recurrence): boolean {
  const { connection, tables, lookup } = scope;
  const { id } = row;
  const isCancelled = `SELECT 1 FROM ${tables.instances} WHERE id = ? AND cancel_requested_at IS NOT NULL`;
  if (connection.get(isCancelled, id) !== undefined) return false;
  const archiveId = writeArchive(scope, id, recurrence);
  beginAnew(scope, { id, archiveId, recurrence });
  recordEntry(scope, recurrence.carried);
  keepSubscriptions(scope, id, recurrence.keep);
  const { owned, instanceId } = recurrence;
  lookup.add(instanceId, { ...row, owner: owned ? scope.workerId : null, claims: owned ? row.claims + 1 : row.claims });
  return true;
}

/** The input moves to the row of what was; the history stays where it is, and belongs to it up to the first entry of what begins. */
function writeArchive({ connection, tables, now }: WorkerScope, id: number, { archiveId, carried }: Recurrence): string {
  // Nobody starts anything with such a token: a start with the archive's id is a conflict.
  const sql = `INSERT INTO ${tables.instances} (instance_id, workflow_name, status, claims, start_token, created_at, finished_at,
      parent_id, input, input_checked, generation, continued_as, continued_from, history_start, history_of, history_end)
    SELECT ?, workflow_name, 'recurred', claims, 'a recurrence', created_at, ?,
      parent_id, input, input_checked, generation, instance_id, continued_from, history_start, id, ?
    FROM ${tables.instances} WHERE id = ? ON CONFLICT (instance_id) DO NOTHING`;
  const isTaken = connection.get(`SELECT 1 FROM ${tables.instances} WHERE instance_id = ?`, archiveId) !== undefined;
  const free = isTaken ? `${archiveId}~${randomUUID()}` : archiveId;
  const { lastInsertRowid } = connection.run(sql, free, now, carried.seq - 1, id);
  connection.run(`UPDATE ${tables.inputs} SET id = ? WHERE id = ?`, Number(lastInsertRowid), id);
  return free;
}

/** Attention stays as it is: what came and was not looked at yet is for the new part. */
function beginAnew(
  { connection, tables, workerId, now }: WorkerScope,
  { id, archiveId, recurrence }: { readonly id: number; readonly archiveId: string; readonly recurrence: Recurrence },
): void {
  const { input, carried, owned } = recurrence;
  keepInput(connection, tables, { id, input });
  connection.run(
    `UPDATE ${tables.instances} SET status = ?, owner = ?, wake_at = ?, claims = claims + ?, created_at = ?, error = NULL,
        input = ?, input_checked = 1, generation = generation + 1, continued_from = ?, history_start = ? WHERE id = ?`,
    ...[owned ? 'running' : 'pending', owned ? workerId : null, owned ? null : now, owned ? 1 : 0, now],
    ...[inputInRow(input), archiveId, carried.seq - 1, id],
  );
}

/** The other subscriptions go, and so do all seeks, with what they brought: the code that would have taken it is gone. */
function keepSubscriptions(scope: WorkerScope, id: number, keep: Recurrence['keep']): void {
  const { connection, tables } = scope;
  const kept = new Set(keep.map(({ topic, filter }) => nameOf({ topic, ...filterTexts(filter) })));
  const sql = `SELECT topic, path, value FROM ${tables.subscriptions} WHERE id = ?`;
  for (const row of connection.all<SubscriptionKey>(sql, id)) {
    if (kept.has(nameOf(row))) continue;
    const remove = `DELETE FROM ${tables.subscriptions} WHERE topic = ? AND path = ? AND value = ? AND id = ?`;
    connection.run(remove, row.topic, row.path, row.value, id);
  }
  connection.run(`UPDATE ${tables.subscriptions} SET seeking = NULL WHERE id = ? AND seeking IS NOT NULL`, id);
  const give = `DELETE FROM ${tables.mailbox} WHERE id = ? AND queue_place IS NOT NULL RETURNING ${givenUpColumns}`;
  for (const topic of putBack(scope, connection.all<GivenUpMail>(give, id))) handOut(scope, topic);
}

interface SubscriptionKey {
  readonly topic: string;
  readonly path: string;
  readonly value: string;
}

function nameOf({ topic, path, value }: SubscriptionKey): string {
  return JSON.stringify([topic, path, value]);
}
