// An instance as seen from outside, out of its rows.
import type { InstanceRecord } from '@romancy/core/ports';
import { inputOf } from './input-place.js';
import type { TableNames } from './table-names.js';

export type RecordRow = Omit<InstanceRecord, 'cancelRequested'> & { readonly cancelRequestedAt: number | null };

/** The select of whole records, as far as its condition; the instance is `i`. */
export function recordColumns(tables: TableNames): string {
  return `SELECT i.instance_id AS instanceId, i.workflow_name AS workflowName, i.status, ${inputOf(tables, 'i')} AS input, i.output, i.error,
      i.compensation_failures AS compensationFailures, i.parent_id AS parentId,
      i.continued_as AS continuedAs, i.continued_from AS continuedFrom,
      i.cancel_reason AS cancelReason, i.cancel_requested_at AS cancelRequestedAt, i.owner, i.wake_at AS wakeAt,
      i.created_at AS createdAt, i.finished_at AS finishedAt
    FROM ${tables.instances} i`;
}

export function toRecord({ cancelRequestedAt, ...row }: RecordRow): InstanceRecord {
  return { ...row, cancelRequested: cancelRequestedAt !== null };
}
