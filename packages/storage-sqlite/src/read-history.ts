// Reads entries of one instance.
import type { HistoryEntry } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

export interface HistoryRequest {
  readonly tables: TableNames;
  /** The number of the instance inside of the database. */
  readonly id: number;
  readonly instanceId: string;
  /** Entries after this one; null: from the first. */
  readonly afterSeq: number | null;
  readonly limit: number;
}

/** By `seq`. */
export function readHistory(connection: SqliteConnection, request: HistoryRequest): readonly HistoryEntry[] {
  const { tables, id, instanceId, afterSeq, limit } = request;
  const sql = `SELECT seq, kind, call_id AS callId, position, data, due_at AS dueAt, recorded_at AS recordedAt
    FROM ${tables.history} WHERE id = ? AND seq > ? ORDER BY seq LIMIT ?`;
  const rows = connection.all<Omit<HistoryEntry, 'instanceId'>>(sql, id, afterSeq ?? Number.MIN_SAFE_INTEGER, limit);
  return rows.map((row) => ({ instanceId, ...row }));
}
