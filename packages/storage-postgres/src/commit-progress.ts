// Commits a batch of progress and tells what of it was refused.
import { StorageUnavailableError, type ProgressBatch, type ProgressResult } from '@romancy/core/ports';
import type { ClaimFence, EndedClaims } from './claim-fence.js';
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

type Where = Pick<CommitParts, 'database' | 'tables'>;
type CommitAnswer = Record<CommitTag, string[]>;

export async function commitProgress({ database, tables, fence }: CommitParts, batch: ProgressBatch): Promise<ProgressResult> {
  const claims = fence.sending(batch);
  try {
    const answer = await sendBatch({ database, tables }, batch, claims);
    const conflicts = await findConflicts({ database, tables }, batch, new Set(answer.started));
    fence.answered(batch, claims, { started: conflicts, settled: new Set(answer.refused) });
    if (answer.overtaken.length > 0) await removeMail({ database, tables }, answer.overtaken);
    return { conflicts, refused: answer.refused, now: Number(answer.now[0]) };
  } catch (error) {
    if (error instanceof StorageUnavailableError) fence.lost(batch, claims);
    throw error;
  }
}

async function sendBatch({ database, tables }: Where, batch: ProgressBatch, claims: EndedClaims): Promise<CommitAnswer> {
  const answer: CommitAnswer = { alive: [], now: [], started: [], refused: [], overtaken: [] };
  for (const [tag, id] of await database.rows(commitStatement(tables, batch, claims))) answer[tag as CommitTag].push(id!);
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
