// Instances on PostgreSQL for those outside of a run.
import type { FinalStatus, InstanceStore } from '@romancy/core/ports';
import type { Database } from './database.js';
import { readHistoryOf } from './history-rows.js';
import { instanceColumns, toInstanceRecord } from './instance-rows.js';
import { listInstances } from './list-instances.js';
import { requestCancel } from './request-cancel.js';
import { sql } from './sql.js';
import type { TableNames } from './table-names.js';

export function createInstanceStore(database: Database, tables: TableNames): InstanceStore {
  return {
    async get(instanceId) {
      const [row] = await database.rows(
        sql`SELECT ${instanceColumns} FROM ${tables.instances} i WHERE i.instance_id = ${instanceId}`,
      );
      return row === undefined ? undefined : toInstanceRecord(row);
    },

    list: (request) => listInstances(database, tables, request),

    async finished(instanceIds) {
      if (instanceIds.length === 0) return [];
      const rows = await database.rows(sql`
        SELECT i.instance_id, i.status, i.output::text, i.error::text, i.cancel_reason, i.continued_as FROM ${tables.instances} i
        WHERE i.instance_id = ANY(${instanceIds}::text[]) AND i.finished_at IS NOT NULL`);
      return rows.map((row) => {
        const [instanceId, status, output, error, cancelReason, continuedAs] = row as (string | null)[];
        return {
          instanceId: instanceId!,
          status: status as FinalStatus,
          output: output!,
          error: error!,
          cancelReason: cancelReason!,
          continuedAs: continuedAs!,
        };
      });
    },

    async workflowsOf(instanceIds) {
      if (instanceIds.length === 0) return [];
      const rows = await database.rows(
        sql`SELECT i.instance_id, i.workflow_name FROM ${tables.instances} i WHERE i.instance_id = ANY(${instanceIds}::text[])`,
      );
      return rows.map((row) => {
        const [instanceId, workflowName] = row as string[];
        return { instanceId: instanceId!, workflowName: workflowName! };
      });
    },

    requestCancel: (request) => requestCancel(database, tables, request),
    history: (request) => readHistoryOf(database, tables, request),
  };
}
