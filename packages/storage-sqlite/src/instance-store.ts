// The part of the storage for those outside of a run: look, list, cancel.
import type { FinishedInstance, InstanceStore, WorkflowOfInstance } from '@romancy/core/ports';
import { recordColumns, toRecord, type RecordRow } from './instance-record.js';
import { listInstances } from './list-instances.js';
import { findHistory, readHistory } from './read-history.js';
import { requestCancel } from './request-cancel.js';
import type { SqliteFile } from './sqlite-file.js';

export function createInstanceStore(file: SqliteFile): InstanceStore {
  const { tables } = file;
  const { instances } = tables;
  return {
    async get(instanceId) {
      const sql = `${recordColumns(tables)} WHERE i.instance_id = ?`;
      const row = await file.read((connection) => connection.get<RecordRow>(sql, instanceId));
      return row === undefined ? undefined : toRecord(row);
    },
    list: (request) => listInstances(file, request),
    finished: (instanceIds) =>
      file.read((connection) =>
        connection.all<FinishedInstance>(
          `SELECT instance_id AS instanceId, status, output, error, cancel_reason AS cancelReason, continued_as AS continuedAs
            FROM ${instances}
            WHERE instance_id IN (SELECT value FROM json_each(?)) AND finished_at IS NOT NULL`,
          JSON.stringify(instanceIds),
        ),
      ),
    workflowsOf: (instanceIds) =>
      file.read((connection) =>
        connection.all<WorkflowOfInstance>(
          `SELECT instance_id AS instanceId, workflow_name AS workflowName FROM ${instances}
            WHERE instance_id IN (SELECT value FROM json_each(?))`,
          JSON.stringify(instanceIds),
        ),
      ),
    requestCancel: (request) => file.write((connection) => requestCancel({ connection, tables, now: file.now() }, request)),
    history: ({ instanceId, afterSeq, limit }) =>
      file.snapshot((connection) => {
        const part = findHistory(connection, tables, instanceId);
        return part === undefined ? [] : readHistory(connection, { tables, part, afterSeq, limit });
      }),
  };
}
