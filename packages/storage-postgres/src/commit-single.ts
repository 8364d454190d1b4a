// Commits what a workflow that is alone commits by plain statements: a start, an entry, an end with its last entry.
import type { NewHistoryEntry, NewInstance, ProgressResult } from '@romancy/core/ports';
import type { CommitContent } from './commit-content.js';
import { createCommitEnd, endOf } from './commit-end.js';
import { isRunsOnly } from './commit-parameters.js';
import { plainResult } from './commit-progress.js';
import type { Database } from './database.js';
import { aliveWorker, leaseLost } from './fence.js';
import { callName } from './function-settings.js';
import { entryParameters, insertEntry } from './insert-entries.js';
import { clockMillis, storedNow } from './sql-time.js';
import { storedToken } from './start-token.js';
import type { TableNames } from './table-names.js';

/*
 * Of a workflow that is alone, every commit but the last is one row, the last (commit-end.ts) is two, and nobody shares the price of the function, of its lists
 * and of the statements within it. A statement that sessions keep parsed is cheaper then, and nothing but the worker's row is looked for, so that no plan of it can
 * be a wrong one. Where sessions keep nothing it would be planned each time, and the function is cheaper.
 *
 * It is fenced as all others are, see fence.ts: what is inserted is made of the locked row. And it answers with as little as can be: each column, and each step of the
 * plan, is a part of the price.
 */

/**
 * @returns null when this is not for it, or when it has done nothing, and the function has to say why: somebody took the id of a start at this very moment, an end is more
 * than a change of its row, the worker is not alive.
 * @throws LeaseLostError where nothing else can be the reason; a violation of uniqueness where the entry is there already.
 */
export type CommitSingle = (batch: CommitContent) => Promise<ProgressResult | null>;

export function createCommitSingle(database: Database, tables: TableNames): CommitSingle {
  const start = { name: callName('start', startText(tables)), text: startText(tables) };
  const entry = { name: callName('entry', entryText(tables)), text: entryText(tables) };
  const commitEnd = createCommitEnd(database, tables);

  const commitStart = async (workerId: string, instance: NewInstance): Promise<ProgressResult | null> => {
    const { instanceId, workflowName, input, owned } = instance;
    const values = [workerId, instanceId, workflowName, input, storedToken(instance), owned];
    const [row] = await database.preparedRows(start.name, { text: start.text, values });
    const answer = row![0];
    // Not written, and not there when the statement began either.
    if (typeof answer !== 'string') return null;
    const [clock, ...token] = answer.split(' ');
    // It is there: somebody else's, or this batch was sent before.
    const isTaken = token.length > 0 && token.join(' ') !== instance.startToken;
    return plainResult(clock!, isTaken ? [instanceId] : []);
  };
  const commitEntry = async (workerId: string, recorded: NewHistoryEntry): Promise<ProgressResult> => {
    const values = [workerId, recorded.instanceId, ...entryParameters(recorded)];
    const [row] = await database.preparedRows(entry.name, { text: entry.text, values });
    if (row === undefined) throw leaseLost(workerId);
    return plainResult(row[0]!);
  };

  return async (batch) => {
    const { workerId, starts, entries, subscriptions, takenMail, settlements } = batch;
    if (starts.length + entries.length > 1 || !database.keepsParsed) return null;
    if (subscriptions.length + takenMail.length > 0 || !isRunsOnly(batch)) return null;
    if (settlements.length > 0) {
      const end = endOf(batch);
      return end === undefined ? null : await commitEnd(workerId, end, entries[0]);
    }
    if (starts.length === 1) return await commitStart(workerId, starts[0]!);
    return entries.length === 1 ? await commitEntry(workerId, entries[0]!) : null;
  };
}

/** The clock; behind it the token of the start that has the id, where it is taken. Null: neither is there anything, nor is anything written. */
function startText(t: TableNames): string {
  return `WITH written AS (
      INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, start_token, status, owner, claims, version, wake_at, created_at)
      SELECT $2::text, $3::text, $4::json, $5::text, CASE WHEN $6::boolean THEN 'running' ELSE 'pending' END, CASE WHEN $6 THEN $1 END,
        $6::integer, $6::integer, CASE WHEN NOT $6 THEN ${storedNow.text} END, ${storedNow.text} FROM ${aliveWorker(t)}
      ON CONFLICT (instance_id) DO NOTHING RETURNING ${clockMillis.text}::text AS clock
    )
    SELECT coalesce((SELECT w.clock FROM written w), (
      SELECT ${clockMillis.text} || ' ' || coalesce(i.start_token, i.instance_id) FROM ${t.instances.text} i
      WHERE i.instance_id = $2 AND EXISTS (SELECT FROM ${t.workers.text} w WHERE w.worker_id = $1)
    ))`;
}

function entryText(t: TableNames): string {
  return `${insertEntry(t, { from: aliveWorker(t), id: '$2::text', first: 3 })} RETURNING ${clockMillis.text}`;
}
