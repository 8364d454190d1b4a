// Asks for the end of an instance.
import { isFinal, type InstanceStatus, type InstanceStore } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';
import { drawAttention } from './draw-attention.js';

export interface CancelRequest {
  readonly tables: TableNames;
  readonly now: number;
  readonly instanceId: string;
  readonly reason: string | null;
}

interface Row {
  readonly id: number;
  readonly status: InstanceStatus;
  readonly workflowName: string;
  readonly cancelRequestedAt: number | null;
}

/** Works through a connection on which a transaction is open. */
export function requestCancel(
  connection: SqliteConnection,
  { tables, now, instanceId, reason }: CancelRequest,
): Awaited<ReturnType<InstanceStore['requestCancel']>> {
  const row = connection.get<Row>(
    `SELECT id, status, workflow_name AS workflowName, cancel_requested_at AS cancelRequestedAt
      FROM ${tables.instances} WHERE instance_id = ?`,
    instanceId,
  );
  if (row === undefined) return { outcome: 'unknown', status: null, wakeups: [] };
  const { id, status, workflowName } = row;
  if (isFinal(status)) return { outcome: 'finished', status, wakeups: [] };
  if (row.cancelRequestedAt !== null) return { outcome: 'already', status, wakeups: [] };
  connection.run(`UPDATE ${tables.instances} SET cancel_requested_at = ?, cancel_reason = ? WHERE id = ?`, now, reason, id);
  drawAttention(connection, { tables, now, id });
  return { outcome: 'requested', status, wakeups: [{ kind: 'workflow_resumable', instanceId, workflowName }] };
}
