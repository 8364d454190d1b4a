// Asks for the end of an instance.
import { isFinal, type CancelOrder, type InstanceStatus, type InstanceStore } from '@romancy/core/ports';
import { drawAttention } from './draw-attention.js';
import type { WriteScope } from './write-scope.js';

interface Row {
  readonly id: number;
  readonly status: InstanceStatus;
  readonly workflowName: string;
  readonly cancelRequestedAt: number | null;
  readonly parentId: string | null;
}

export function requestCancel(
  scope: WriteScope,
  { instanceId, reason, childOf }: CancelOrder,
): Awaited<ReturnType<InstanceStore['requestCancel']>> {
  const { connection, tables, now } = scope;
  const row = connection.get<Row>(
    `SELECT id, status, workflow_name AS workflowName, cancel_requested_at AS cancelRequestedAt, parent_id AS parentId
      FROM ${tables.instances} WHERE instance_id = ?`,
    instanceId,
  );
  if (row === undefined) return { outcome: 'unknown', status: null, wakeups: [] };
  if (childOf !== undefined && row.parentId !== childOf) return { outcome: 'unknown', status: null, wakeups: [] };
  const { id, status, workflowName } = row;
  if (isFinal(status)) return { outcome: 'finished', status, wakeups: [] };
  if (row.cancelRequestedAt !== null) return { outcome: 'already', status, wakeups: [] };
  connection.run(`UPDATE ${tables.instances} SET cancel_requested_at = ?, cancel_reason = ? WHERE id = ?`, now, reason, id);
  drawAttention(scope, id);
  return { outcome: 'requested', status, wakeups: [{ kind: 'workflow_resumable', instanceId, workflowName }] };
}
