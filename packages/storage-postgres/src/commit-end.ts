// Commits the end of one instance, with the last entry of its history if that comes with it, by a plain statement.
import type { NewHistoryEntry, ProgressResult, Settlement } from '@romancy/core/ports';
import type { CommitContent } from './commit-content.js';
import { plainResult } from './commit-progress.js';
import type { Database } from './database.js';
import { aliveWorker } from './fence.js';
import { callName } from './function-settings.js';
import { entryParameters, insertEntry } from './insert-entries.js';
import { clockMillis, storedNow } from './sql-time.js';
import { isDivisionByZero } from './storage-error.js';
import type { TableNames } from './table-names.js';

type Finish = Extract<Settlement, { readonly type: 'finish' }>;

/*
 * For one that was changed by its start and its claims alone (`version` is then `claims`, see commit-runs-function.ts). So it has no mail, no subscription, also
 * of no queue, no membership, no attention, and nobody has asked for its cancellation: it leaves nothing, and there is no reason to refuse its end. Where that is not so,
 * or the instance is not this worker's by that claim (as when the answer to this very commit was lost), nothing is changed, and the function
 * decides. Whoever changes the row at this moment is waited for, as ever, and the conditions are asked of what he made of it.
 *
 * The entry is made of the changed row: without the one there is not the other. (The function writes entries first. Whoever else writes this one, which
 * is a transaction of an activity that commits what was recorded before it, may so wait for the row while this waits for his entry; the server then ends one
 * of them, and that one is made again. It takes an end that does not wait for its activities.)
 *
 * Outside of a function no setting keeps the planner from reading all of a table that it believes to be empty, and sessions keep such a plan. So
 * the row is found without one: an INSERT that meets it looks into the primary key whatever the planner believes, and changes what is there. Of a row
 * that is not there (the end took effect, its answer was lost, the instance was purged) it would make one; its version is 0, by which nothing can
 * be divided: the statement then fails, and has done nothing.
 */

/**
 * @returns null when it has done nothing, which the function has to explain: it may be that the worker is not alive.
 * @throws a violation of uniqueness where the entry is there already.
 */
export type CommitEnd = (workerId: string, finish: Finish, entry: NewHistoryEntry | undefined) => Promise<ProgressResult | null>;

/** The end of an instance, of a batch that holds no more than that and one entry, if this is likely to do for it. */
export function endOf({ starts, entries, settlements }: CommitContent): Finish | undefined {
  const [end] = settlements;
  if (settlements.length !== 1 || starts.length > 0 || end!.type !== 'finish') return undefined;
  if (entries.some(({ instanceId }) => instanceId !== end!.instanceId)) return undefined;
  // A further claim follows a park or a release as a rule, and a cancellation a request: each has changed the row.
  return end!.claim === 1 && end!.status !== 'cancelled' ? end : undefined;
}

export function createCommitEnd(database: Database, tables: TableNames): CommitEnd {
  const alone = endText(tables, { returning: clockMillis.text });
  const withEntry = `WITH ended AS (${endText(tables, { returning: 'i.instance_id' })})
    ${insertEntry(tables, { from: 'ended e', id: 'e.instance_id', first: 7 })} RETURNING ${clockMillis.text}`;
  const names = [callName('end', alone), callName('last', withEntry)] as const;
  return async (workerId, { instanceId, claim, status, output, error }, entry) => {
    const values = [workerId, instanceId, claim, status, output, error];
    try {
      const [row] =
        entry === undefined
          ? await database.preparedRows(names[0], { text: alone, values })
          : await database.preparedRows(names[1], { text: withEntry, values: [...values, ...entryParameters(entry)] });
      return row === undefined ? null : plainResult(row[0]!);
    } catch (failure) {
      if (isDivisionByZero(failure)) return null;
      throw failure;
    }
  };
}

/** @param returning of the changed row. */
function endText(t: TableNames, { returning }: { readonly returning: string }): string {
  return `INSERT INTO ${t.instances.text} AS i (instance_id, workflow_name, status, input, output, error, created_at)
      SELECT $2::text, '', $4::text, 'null'::json, $5::json, $6::json, ${storedNow.text} FROM ${aliveWorker(t)}
      ON CONFLICT (instance_id) DO UPDATE SET status = excluded.status, owner = NULL, version = i.version + 1,
        output = excluded.output, error = excluded.error, finished_at = excluded.created_at
      WHERE i.owner = $1 AND i.claims = $3::integer AND i.version = i.claims
      RETURNING ${returning}, 1 / i.version AS changed`;
}
