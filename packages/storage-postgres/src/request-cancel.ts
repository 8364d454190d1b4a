// Asks for the end of an instance.
import type { InstanceStatus, InstanceStore } from '@romancy/core/ports';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { sql } from './sql.js';
import { storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

type CancelAnswer = Awaited<ReturnType<InstanceStore['requestCancel']>>;

/**
 * The row is locked first and then decided upon: a commit that ends the instance at the same moment is either seen here (`finished`),
 * or waits for this lock and then finds that a cancellation was requested (and is refused).
 */
export async function requestCancel(
  database: Database,
  tables: TableNames,
  { instanceId, reason }: Parameters<InstanceStore['requestCancel']>[0],
): Promise<CancelAnswer> {
  const statement = sql`
    WITH target AS MATERIALIZED (
      SELECT i.instance_id, i.workflow_name, i.status, i.finished_at, i.cancel_requested_at FROM ${tables.instances} i
      WHERE i.instance_id = ${instanceId} FOR NO KEY UPDATE
    ), requested AS (
      UPDATE ${tables.instances} i
      SET cancel_requested_at = ${storedNow}, cancel_reason = ${reason}::text, version = i.version + 1,
        attention = i.owner IS NOT NULL, wake_at = CASE WHEN i.owner IS NULL THEN least(i.wake_at, ${storedNow}) END
      FROM target t
      WHERE i.instance_id = t.instance_id AND t.finished_at IS NULL AND t.cancel_requested_at IS NULL
    )
    SELECT t.workflow_name, t.status, (t.finished_at IS NOT NULL)::text, (t.cancel_requested_at IS NOT NULL)::text FROM target t`;
  const answer = ([row]: readonly Row[]): CancelAnswer => answerOf(instanceId, row);
  return answer(await database.rowsWithNotes(statement, { wakeups: (rows) => answer(rows).wakeups }));
}

function answerOf(instanceId: string, row: Row | undefined): CancelAnswer {
  if (row === undefined) return { outcome: 'unknown', status: null, wakeups: [] };
  const [workflowName, status, isFinished, wasRequested] = row;
  const found = { status: status as InstanceStatus, wakeups: [] };
  if (isFinished === 'true') return { outcome: 'finished', ...found };
  if (wasRequested === 'true') return { outcome: 'already', ...found };
  return {
    outcome: 'requested',
    status: found.status,
    wakeups: [{ kind: 'workflow_resumable', instanceId, workflowName: workflowName! }],
  };
}
