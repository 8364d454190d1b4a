// Commits a batch of progress and tells what of it was refused.
import type { ProgressBatch, ProgressResult } from '@romancy/core/ports';
import { commitStatement, type CommitTag } from './commit-statement.js';
import type { Database } from './database.js';
import { leaseLost } from './fence.js';
import { sql } from './sql.js';
import type { TableNames } from './table-names.js';

interface Where {
  readonly database: Database;
  readonly tables: TableNames;
}

type CommitAnswer = Record<CommitTag, string[]>;

export async function commitProgress(where: Where, batch: ProgressBatch): Promise<ProgressResult> {
  const answer = await sendBatch(where, batch);
  const conflicts = await findConflicts(where, batch, new Set(answer.started));
  if (answer.overtaken.length > 0) await removeMail(where, answer.overtaken);
  return { conflicts, refused: answer.refused, now: Number(answer.now[0]) };
}

async function sendBatch({ database, tables }: Where, batch: ProgressBatch): Promise<CommitAnswer> {
  const answer: CommitAnswer = { alive: [], now: [], started: [], refused: [], overtaken: [] };
  for (const [tag, id] of await database.rows(commitStatement(tables, batch))) answer[tag as CommitTag].push(id!);
  if (answer.alive.length === 0) throw leaseLost(batch.workerId);
  return answer;
}

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
