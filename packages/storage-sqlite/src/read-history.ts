// Reads entries of one instance.
import type { HistoryEntry } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

/** Where the history of an instance lies: of one that recurred, or began anew, that of this part alone. */
export interface HistoryPart {
  readonly instanceId: string;
  /** The number under which it was recorded. */
  readonly id: number;
  /** Its entries have greater numbers ... */
  readonly start: number;
  /** ... up to this one; null: all that follow. */
  readonly end: number | null;
}

export interface HistoryRequest {
  readonly tables: TableNames;
  readonly part: HistoryPart;
  /** Entries after this one; null: from the first. */
  readonly afterSeq: number | null;
  readonly limit: number;
}

/** Undefined: there is no such instance. */
export function findHistory(connection: SqliteConnection, tables: TableNames, instanceId: string): HistoryPart | undefined {
  return connection.get<HistoryPart>(
    `SELECT instance_id AS instanceId, ifnull(history_of, id) AS id, history_start AS start, history_end AS "end"
      FROM ${tables.instances} WHERE instance_id = ?`,
    instanceId,
  );
}

/** By `seq`. */
export function readHistory(connection: SqliteConnection, request: HistoryRequest): readonly HistoryEntry[] {
  const { tables, part, afterSeq, limit } = request;
  const { instanceId, id, start, end } = part;
  const sql = `SELECT seq, kind, call_id AS callId, position, data, due_at AS dueAt, recorded_at AS recordedAt
    FROM ${tables.history} WHERE id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`;
  const rows = connection.all<Omit<HistoryEntry, 'instanceId'>>(
    sql,
    ...[id, Math.max(afterSeq ?? start, start), end ?? Number.MAX_SAFE_INTEGER, limit],
  );
  return rows.map((row) => ({ instanceId, ...row }));
}
