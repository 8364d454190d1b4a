// Commits what a workflow that is alone commits by plain statements: a start, an entry, an end with its last entry.
import type { NewHistoryEntry, NewInstance, ProgressResult } from '@romancy/core/ports';
import type { CommitContent } from './commit-content.js';
import { createCommitEnd, endOf } from './commit-end.js';
import { isRunsOnly } from './commit-parameters.js';
import type { Database } from './database.js';
import { aliveRow, leaseLost } from './fence.js';
import { callName } from './function-settings.js';
import { entryParameters, insertEntry } from './insert-entries.js';
import { raw, type SqlValue } from './sql.js';
import { clockMillis, storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

/*
 * Of a workflow that is alone, every commit but the last is one row, the last (commit-end.ts) is two, and nobody shares the price of the function, of its lists
 * and of the statements within it. A statement that sessions keep parsed is cheaper then, and nothing but the worker's row is looked for, so that no plan of it can
 * be a wrong one. Where sessions keep nothing it would be planned each time, and the function is cheaper.
 *
 * It is fenced as all others are, see fence.ts: what writes depends on the locked row.
 */

/**
 * @returns null when this is not for it, or when it has done nothing: somebody took the id of a start at this very moment, or an end is more than a change of its row.
 * @throws LeaseLostError; a violation of uniqueness where the entry is there already.
 */
export type CommitSingle = (batch: CommitContent) => Promise<ProgressResult | null>;

export function createCommitSingle(database: Database, tables: TableNames): CommitSingle {
  const start = { name: callName('start', startText(tables)), text: startText(tables) };
  const entry = { name: callName('entry', entryText(tables)), text: entryText(tables) };
  const commitEnd = createCommitEnd(database, tables);
  return async (batch) => {
    const { workerId, starts, entries, subscriptions, takenMail, settlements } = batch;
    if (starts.length + entries.length > 1 || !database.keepsParsed) return null;
    if (subscriptions.length + takenMail.length > 0 || !isRunsOnly(batch)) return null;
    if (settlements.length > 0) {
      const end = endOf(batch);
      return end === undefined ? null : commitEnd(workerId, end, entries[0]);
    }
    if (starts.length + entries.length === 0) return null;
    const { name, text } = starts.length === 1 ? start : entry;
    const values = starts.length === 1 ? startValues(starts[0]!) : entryValues(entries[0]!);
    const [row] = await database.preparedRows(name, { text, values: [workerId, ...values] });
    if (row === undefined) throw leaseLost(workerId);
    const [clock, written, token] = row;
    // Not written, and not there when the statement began either.
    if (written === '0' && token === null) return null;
    // It is there: somebody else's, or this batch was sent before.
    const conflicts = starts
      .filter(({ startToken }) => written === '0' && startToken !== token)
      .map(({ instanceId }) => instanceId);
    return { conflicts, refused: [], undelivered: [], wakeups: [], attention: [], now: Number(clock) };
  };
}

function startText(t: TableNames): string {
  return `WITH alive AS MATERIALIZED (${aliveRow(t, raw('$1')).text}), written AS (
      INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, start_token, status, owner, claims, version, wake_at, created_at)
      SELECT $2::text, $3::text, $4::json, $5::text, CASE WHEN $6::boolean THEN 'running' ELSE 'pending' END, CASE WHEN $6 THEN $1 END,
        $6::integer, $6::integer, CASE WHEN NOT $6 THEN ${storedNow.text} END, ${storedNow.text} FROM alive
      ON CONFLICT (instance_id) DO NOTHING RETURNING instance_id
    )
    SELECT ${clockMillis.text}, taken.written,
      CASE WHEN taken.written = 0 THEN (SELECT i.start_token FROM ${t.instances.text} i WHERE i.instance_id = $2) END
    FROM alive, (SELECT count(*) AS written FROM written) taken`;
}

function startValues({ instanceId, workflowName, input, startToken, owned }: NewInstance): readonly SqlValue[] {
  return [instanceId, workflowName, input, startToken, owned];
}

function entryText(t: TableNames): string {
  return `WITH alive AS MATERIALIZED (${aliveRow(t, raw('$1')).text}), written AS (
      ${insertEntry(t, { from: 'alive', id: '$2::text', first: 3 })}
    )
    SELECT ${clockMillis.text} FROM alive`;
}

function entryValues(entry: NewHistoryEntry): readonly SqlValue[] {
  return [entry.instanceId, ...entryParameters(entry)];
}
