// Makes instances and events of the outbox that dead or leaving workers owned claimable again.
import type { Wakeup } from '@romancy/core/ports';
import type { Connection } from './connection.js';
import { sql } from './sql.js';
import { millis, storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';
import { mostTold } from './upkeep-function.js';

/**
 * Must be called in the transaction that has deleted the workers' rows, as a statement after that: the DELETE waits for a claim of
 * such a worker that is under way, and what that claimed is seen only by a snapshot taken after the wait.
 *
 * @returns how many instances each worker owned, workers without any left out; wake-ups that tell of some of them, and of one event; and when the earliest of the events that
 * they had is due, null when they had none.
 */
export async function releaseOwned(
  connection: Connection,
  tables: TableNames,
  workerIds: readonly string[],
): Promise<{
  readonly counts: ReadonlyMap<string, number>;
  readonly wakeups: readonly Wakeup[];
  readonly outboxDueAt: number | null;
}> {
  // Rows are locked in the order of their ids, as everywhere where a statement waits for more than one: two such statements can
  // then not wait for each other.
  const rows = await connection.rows(sql`
    WITH held AS MATERIALIZED (
      SELECT i.instance_id, i.owner, i.workflow_name FROM ${tables.instances} i
      WHERE i.owner = ANY(${workerIds}::text[])
      ORDER BY i.instance_id FOR NO KEY UPDATE
    ), released AS (
      UPDATE ${tables.instances} i
      SET owner = NULL, status = CASE WHEN i.compensating THEN 'compensating' ELSE 'pending' END, wake_at = ${storedNow}, attention = false, version = i.version + 1
      WHERE i.instance_id = ANY(ARRAY(SELECT instance_id FROM held))
    ), returned AS (
      -- One that is first without a mark would never be looked at; that somebody marks another one at this moment stays.
      UPDATE ${tables.outbox} e SET owner = NULL, status = 'pending', may_lead = e.may_lead OR (
        SELECT o.number FROM ${tables.outbox} o WHERE o.stream = e.stream AND o.status IN ('pending', 'sending') ORDER BY o.number LIMIT 1
      ) = e.number
      WHERE e.owner = ANY(${workerIds}::text[])
      RETURNING e.event_id, e.due_at
    )
    SELECT owner, count(*)::text, NULL, NULL FROM held GROUP BY owner
    UNION ALL SELECT NULL, NULL, min(event_id), ${millis('min(due_at)')}::text FROM returned
    UNION ALL (SELECT NULL, instance_id, workflow_name, NULL FROM held LIMIT ${mostTold})`);
  const wakeups: Wakeup[] = [];
  const counts = new Map<string, number>();
  let outboxDueAt: number | null = null;
  for (const [owner, second, third, dueAt] of rows) {
    if (second === null) {
      if (dueAt === null) continue;
      outboxDueAt = Number(dueAt);
      wakeups.push({ kind: 'outbox_pending', eventId: third! });
    } else if (owner === null) wakeups.push({ kind: 'workflow_resumable', instanceId: second!, workflowName: third! });
    else counts.set(owner!, Number(second));
  }
  return { counts, wakeups, outboxDueAt };
}
