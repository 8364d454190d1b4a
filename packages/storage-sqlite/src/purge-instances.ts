// Removes instances that ended long ago, with their history.
import type { RetentionRequest } from '@romancy/core/ports';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

export interface Purged {
  readonly count: number;
  /** There may be more to remove. */
  readonly more: boolean;
}

export interface PurgedInstances extends Purged {
  /** The history of one is longer than what goes at a time: some of it went, and the row stays until the last of it has gone. */
  readonly isPartial: boolean;
}

type PurgedStatus = keyof RetentionRequest['instances'];

const statuses: readonly PurgedStatus[] = ['recurred', 'completed', 'failed', 'cancelled'];

interface EndedRow {
  readonly id: number;
  readonly historyOf: number;
  readonly historyStart: number;
  readonly historyEnd: number;
}

/**
 * Each part of one that recurred goes by its own end, with its own part of the history. The number under which that lies is not given
 * again as long as it is there: see `createInstances`. Not more rows than the limit at a time, or a long history would stop the process for
 * long; who looks at an instance with such a one meanwhile sees that the beginning of it is gone.
 */
export function purgeInstances(
  connection: SqliteConnection,
  tables: TableNames,
  { instances, limit }: RetentionRequest,
): PurgedInstances {
  let [count, rows] = [0, 0];
  for (const status of statuses) {
    const before = instances[status];
    if (before === null) continue;
    for (const row of endedBefore(connection, tables, { status, before, limit })) {
      const entries = countHistory(connection, tables, { row, limit });
      if (count > 0 && rows + 1 + entries > limit) return { count, more: true, isPartial: false };
      removeHistory(connection, tables, { row, limit });
      if (entries > limit) return { count, more: true, isPartial: true };
      removeRow(connection, tables, row);
      count++;
      rows += 1 + entries;
      if (rows >= limit) return { count, more: true, isPartial: false };
    }
  }
  return { count, more: false, isPartial: false };
}

function endedBefore(
  connection: SqliteConnection,
  tables: TableNames,
  { status, before, limit }: { readonly status: PurgedStatus; readonly before: number; readonly limit: number },
): readonly EndedRow[] {
  return connection.all<EndedRow>(
    `SELECT id, ifnull(history_of, id) AS historyOf, history_start AS historyStart,
        ifnull(history_end, ${Number.MAX_SAFE_INTEGER}) AS historyEnd
      FROM ${tables.instances} WHERE owner IS NULL AND (status = 'completed') = ? AND status = ? AND finished_at IS NOT NULL
        AND finished_at < ? ORDER BY finished_at, id LIMIT ?`,
    ...[status === 'completed' ? 1 : 0, status, before, limit],
  );
}

/** Up to one more than wanted: then it is known to be too much. */
function countHistory(
  connection: SqliteConnection,
  tables: TableNames,
  { row, limit }: { readonly row: EndedRow; readonly limit: number },
): number {
  const sql = `SELECT count(*) AS entries FROM
    (SELECT 1 FROM ${tables.history} WHERE id = ? AND seq > ? AND seq <= ? LIMIT ?)`;
  const { historyOf, historyStart, historyEnd } = row;
  return connection.get<{ readonly entries: number }>(sql, historyOf, historyStart, historyEnd, limit + 1)!.entries;
}

/** The oldest entries. */
function removeHistory(
  connection: SqliteConnection,
  { history }: TableNames,
  { row, limit }: { readonly row: EndedRow; readonly limit: number },
): void {
  const { historyOf, historyStart, historyEnd } = row;
  connection.run(
    `DELETE FROM ${history} WHERE id = ? AND seq IN
      (SELECT seq FROM ${history} WHERE id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?)`,
    ...[historyOf, historyOf, historyStart, historyEnd, limit],
  );
}

function removeRow(connection: SqliteConnection, tables: TableNames, { id }: EndedRow): void {
  connection.run(`DELETE FROM ${tables.inputs} WHERE id = ?`, id);
  connection.run(`DELETE FROM ${tables.instances} WHERE id = ?`, id);
}
