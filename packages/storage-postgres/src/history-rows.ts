// History on PostgreSQL: entries as rows and back.
import type { HistoryEntry, HistoryKind, NewHistoryEntry } from '@romancy/core/ports';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { raw, sql, type Sql } from './sql.js';
import { instant, millis, storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

/** What is selected of `history h`, in the order that {@link toHistoryEntry} takes. All as text. */
export const historyColumns: Sql = raw(
  `h.instance_id, h.seq::text, h.kind, h.call_id, h.position::text, h.data::text, ${millis('h.due_at').text}::text, ` +
    `${millis('h.recorded_at').text}::text`,
);

export function toHistoryEntry(row: Row): HistoryEntry {
  const [instanceId, seq, kind, callId, position, data, dueAt, recordedAt] = row;
  return {
    instanceId: instanceId!,
    seq: Number(seq),
    kind: kind as HistoryKind,
    callId: callId!,
    position: Number(position),
    data: data ?? null,
    dueAt: dueAt === null ? null : Number(dueAt),
    recordedAt: Number(recordedAt),
  };
}

/** The columns of an INSERT into `history`, and where its values come from: a relation `e` made by {@link entryRows}. */
export const entryColumns: Sql = raw('(instance_id, seq, kind, call_id, position, data, due_at, recorded_at)');
export const entryValues: Sql = sql`e.instance_id, e.seq, e.kind, e.call_id, e.position, e.data::json, ${instant(raw('e.due_at'))}, ${storedNow}`;

/** The entries as a relation `e`. */
export function entryRows(entries: readonly NewHistoryEntry[]): Sql {
  return sql`unnest(
    ${entries.map((entry) => entry.instanceId)}::text[], ${entries.map((entry) => entry.seq)}::int[],
    ${entries.map((entry) => entry.kind)}::text[], ${entries.map((entry) => entry.callId)}::text[],
    ${entries.map((entry) => entry.position)}::int[], ${entries.map((entry) => entry.data)}::text[],
    ${entries.map((entry) => entry.dueAt)}::float8[]
  ) AS e (instance_id, seq, kind, call_id, position, data, due_at)`;
}

export async function readHistory(
  database: Database,
  tables: TableNames,
  request: { readonly instanceId: string; readonly afterSeq: number; readonly limit: number },
): Promise<readonly HistoryEntry[]> {
  const rows = await database.rows(sql`
    SELECT ${historyColumns} FROM ${tables.history} h
    WHERE h.instance_id = ${request.instanceId} AND h.seq > ${request.afterSeq}
    ORDER BY h.seq LIMIT ${request.limit}`);
  return rows.map(toHistoryEntry);
}

/**
 * Of the part of a history that belongs to this row alone: of one that begins anew, what is above its start; of an earlier part, its range, which is
 * under the id that goes on until that one is purged, and may be in both places while it is.
 */
export async function readHistoryOf(
  database: Database,
  tables: TableNames,
  request: { readonly instanceId: string; readonly afterSeq: number; readonly limit: number },
): Promise<readonly HistoryEntry[]> {
  const { instanceId, afterSeq, limit } = request;
  const filedUnder = (id: Sql): Sql => sql`(SELECT x.* FROM ${tables.instances} i CROSS JOIN LATERAL (
      SELECT ${historyColumns} FROM ${tables.history} h
      WHERE h.instance_id = ${id} AND h.seq > greatest(i.history_start, ${afterSeq}::int) AND h.seq <= coalesce(i.history_end, 2147483647)
      ORDER BY h.seq LIMIT ${limit}
    ) x WHERE i.instance_id = ${instanceId})`;
  const rows = await database.rows(sql`${filedUnder(raw('i.instance_id'))} UNION ALL ${filedUnder(raw('i.history_of'))}`);
  const entries = rows.map((row) => ({ ...toHistoryEntry(row), instanceId }));
  return entries.sort((a, b) => a.seq - b.seq).slice(0, limit);
}
