// Commits a batch of a single entry by a plain statement.
import type { NewHistoryEntry, ProgressResult } from '@romancy/core/ports';
import type { CommitContent } from './commit-content.js';
import { isRunsOnly } from './commit-parameters.js';
import type { Database } from './database.js';
import { aliveRow, leaseLost } from './fence.js';
import { callName } from './function-settings.js';
import { raw, type SqlValue } from './sql.js';
import { clockMillis, storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

/*
 * Of a workflow that is alone, each step but the last is such a commit, and nobody shares the price of the function, of its lists and of the two
 * statements within it. A statement that sessions keep parsed is cheaper then, and nothing but the worker's row is looked for, so that no plan of it can
 * be a wrong one. Where sessions keep nothing it would be planned each time, and the function is cheaper.
 *
 * It is fenced as all others are, see fence.ts: what writes depends on the locked row.
 */

/**
 * @returns null when this is not for it.
 * @throws LeaseLostError; a violation of uniqueness where the entry is there already.
 */
export type CommitEntry = (batch: CommitContent) => Promise<ProgressResult | null>;

export function createCommitEntry(database: Database, tables: TableNames): CommitEntry {
  const text = textOf(tables);
  const name = callName('entry', text);
  return async (batch) => {
    const { workerId, starts, entries, subscriptions, takenMail, settlements } = batch;
    if (entries.length !== 1 || !database.keepsParsed) return null;
    if (starts.length + subscriptions.length + takenMail.length + settlements.length > 0 || !isRunsOnly(batch)) return null;
    const [row] = await database.preparedRows(name, { text, values: [workerId, ...valuesOf(entries[0]!)] });
    if (row === undefined) throw leaseLost(workerId);
    return { conflicts: [], refused: [], undelivered: [], wakeups: [], attention: [], now: Number(row[0]) };
  };
}

function textOf(t: TableNames): string {
  return `WITH alive AS MATERIALIZED (${aliveRow(t, raw('$1')).text}), written AS (
      INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
      SELECT $2::text, $3::integer, $4::text, $5::text, $6::integer, $7::json, to_timestamp($8::float8 / 1000), ${storedNow.text} FROM alive
    )
    SELECT ${clockMillis.text} FROM alive`;
}

function valuesOf({ instanceId, seq, kind, callId, position, data, dueAt }: NewHistoryEntry): readonly SqlValue[] {
  return [instanceId, seq, kind, callId, position, data, dueAt];
}
