// Instances on PostgreSQL as they are seen from outside.
import type { InstanceRecord, InstanceStatus } from '@romancy/core/ports';
import type { Row } from './row.js';
import { raw, type Sql } from './sql.js';
import { millis } from './sql-time.js';

/** What is selected of `instances i`, in the order that {@link toInstanceRecord} takes. */
export const instanceColumns: Sql = raw(
  `i.instance_id, i.workflow_name, i.status, i.input::text, i.output::text, i.error::text, i.compensation_failures::text, i.cancel_reason, ` +
    `(i.cancel_requested_at IS NOT NULL)::text, i.owner, ${millis('i.wake_at').text}, ${millis('i.created_at').text}, ` +
    `${millis('i.finished_at').text}, i.parent_id, i.continued_as, i.continued_from`,
);

export function toInstanceRecord(row: Row): InstanceRecord {
  const [
    instanceId,
    workflowName,
    status,
    input,
    output,
    error,
    compensationFailures,
    cancelReason,
    isCancelled,
    owner,
    wakeAt,
    createdAt,
    finishedAt,
    parentId,
    continuedAs,
    continuedFrom,
  ] = row as (string | null)[];
  return {
    instanceId: instanceId!,
    workflowName: workflowName!,
    status: status as InstanceStatus,
    input: input!,
    output: output!,
    error: error!,
    compensationFailures: compensationFailures!,
    cancelReason: cancelReason!,
    cancelRequested: isCancelled === 'true',
    owner: owner!,
    wakeAt: toNumber(wakeAt),
    createdAt: Number(createdAt),
    finishedAt: toNumber(finishedAt),
    parentId: parentId!,
    continuedAs: continuedAs!,
    continuedFrom: continuedFrom!,
  };
}

function toNumber(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}
