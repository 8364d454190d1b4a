// Commits a batch of progress and tells what of it was refused.
import type { ProgressBatch, ProgressResult } from '@romancy/core/ports';
import type { ClaimFence } from './claim-fence.js';
import { commitStatement, type CommitTag } from './commit-statement.js';
import type { Database } from './database.js';
import { leaseLost } from './fence.js';
import { sql } from './sql.js';
import type { TableNames } from './table-names.js';

export interface CommitParts {
  readonly database: Database;
  readonly tables: TableNames;
  readonly fence: ClaimFence;
}

export async function commitProgress({ database, tables, fence }: CommitParts, batch: ProgressBatch): Promise<ProgressResult> {
  fence.starting(batch.starts);
  const answer: Record<CommitTag, string[]> = { alive: [], now: [], started: [], refused: [], overtaken: [] };
  for (const [tag, id] of await database.rows(commitStatement(tables, batch, fence))) answer[tag as CommitTag].push(id!);
  if (answer.alive.length === 0) throw leaseLost(batch.workerId);

  const conflicts = await findConflicts({ database, tables }, batch, new Set(answer.started));
  for (const instanceId of conflicts) fence.refusedStart(instanceId);
  const refused = new Set(answer.refused);
  for (const settlement of batch.settlements) if (!refused.has(settlement.instanceId)) fence.ended(settlement);
  if (answer.overtaken.length > 0) await removeMail({ database, tables }, answer.overtaken);
  return { conflicts, refused: answer.refused, now: Number(answer.now[0]) };
}

type Where = Pick<CommitParts, 'database' | 'tables'>;

/**
 * A start that inserted nothing found an instance of its id: its own, made by this very batch before, or another's. Which one, only a
 * further statement can tell, since that instance may have been committed after the first one began.
 */
async function findConflicts(
  { database, tables }: Where,
  { starts }: ProgressBatch,
  started: ReadonlySet<string>,
): Promise<readonly string[]> {
  const missing = starts.filter((start) => !started.has(start.startToken));
  if (missing.length === 0) return [];
  const ids = missing.map((start) => start.instanceId);
  const rows = await database.rows(
    sql`SELECT instance_id, start_token FROM ${tables.instances} WHERE instance_id = ANY(${ids}::text[])`,
  );
  const tokenOf = new Map(rows.map(([instanceId, token]) => [instanceId, token]));
  return missing.filter((start) => tokenOf.get(start.instanceId) !== start.startToken).map((start) => start.instanceId);
}

/** Ended instances get no mail any more, so this finds all that is left. When it fails nothing is wrong but that some rows stay. */
async function removeMail({ database, tables }: Where, instanceIds: readonly string[]): Promise<void> {
  await database.rows(sql`DELETE FROM ${tables.mailbox} WHERE instance_id = ANY(${instanceIds}::text[])`).catch(() => undefined);
}
