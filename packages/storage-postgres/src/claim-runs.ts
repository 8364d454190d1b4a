// Claims due instances, and reads again what a delivery has overtaken in the meantime.
import type { ClaimedRun, ClaimRequest, ClaimResult, HistoryEntry, Mail } from '@romancy/core/ports';
import type { ClaimCall } from './claim-function.js';
import { claimStatement, type ClaimTag } from './claim-statement.js';
import type { Row } from './row.js';
import type { Database } from './database.js';
import { leaseLost } from './fence.js';
import { readHistory, toHistoryEntry } from './history-rows.js';
import { byMailId, readMailOf, toMail } from './mail-rows.js';
import { sql } from './sql.js';
import type { TableNames } from './table-names.js';

interface Where {
  readonly database: Database;
  readonly tables: TableNames;
  readonly call: ClaimCall;
}

/** A run while its rows are gathered. */
interface Gathered {
  readonly row: Row;
  readonly history: HistoryEntry[];
  readonly mail: Mail[];
}

export async function claimRuns({ database, tables, call }: Where, request: ClaimRequest): Promise<ClaimResult> {
  if (request.holding !== null) await awaitLostStatements({ database, tables }, request.workerId);
  const isUsual = request.limit > 0 && request.holding === null;
  const answer = isUsual
    ? await database.preparedRows(call.name, call.of(request))
    : await database.rows(claimStatement(tables, request));
  const tagged = (tag: ClaimTag): readonly Row[] => answer.filter((row) => row[0] === tag).map((row) => row.slice(1));

  const [now, nextDueAt, isAlive, isFenced] = tagged('meta')[0]!;
  // Alive at the beginning but not when the fence was locked: a reaper came in between.
  if (isAlive !== 'true' || isFenced === 'false') throw leaseLost(request.workerId);

  const gathered = new Map(tagged('run').map((row): [string, Gathered] => [row[0]!, { row, history: [], mail: [] }]));
  for (const row of tagged('entry')) gathered.get(row[0]!)!.history.push(toHistoryEntry(row));
  for (const [instanceId, ...row] of tagged('mail')) gathered.get(instanceId!)!.mail.push(toMail(row));
  await readStale({ database, tables }, gathered, request);

  const claimed = [...gathered.values()]
    .sort((a, b) => dueAt(a) - dueAt(b) || (a.row[0]! < b.row[0]! ? -1 : 1))
    .map((run) => toClaimedRun(run, request.historyLimit));
  return {
    claimed,
    attention: tagged('attention').map((row) => row[0]!),
    nextDueAt: nextDueAt === null ? null : Number(nextDueAt),
    now: Number(now),
  };
}

/**
 * After a lost answer, the statement whose connection broke may still be running in the server, and would claim behind the back of
 * this call. FOR UPDATE conflicts with the fence that it holds, so this waits for its end.
 */
async function awaitLostStatements({ database, tables }: Omit<Where, 'call'>, workerId: string): Promise<void> {
  await database.rows(sql`SELECT w.worker_id FROM ${tables.workers} w WHERE w.worker_id = ${workerId} FOR UPDATE`);
}

/** The rows are this worker's now: no history is added by others, and whatever mail comes from here on sets their attention again. */
async function readStale(
  { database, tables }: Omit<Where, 'call'>,
  gathered: ReadonlyMap<string, Gathered>,
  request: ClaimRequest,
): Promise<void> {
  const stale = [...gathered.keys()].filter((instanceId) => gathered.get(instanceId)!.row[7] === 'true');
  if (stale.length === 0) return;
  const mailOf = await readMailOf(database, tables, { instanceIds: stale, limit: request.mailLimit });
  for (const instanceId of stale) {
    const { row, history, mail } = gathered.get(instanceId)!;
    mail.splice(0, mail.length, ...mailOf.get(instanceId)!);
    const entries = await readHistory(database, tables, {
      instanceId,
      afterSeq: Number(row[12]),
      limit: request.historyLimit + 1,
    });
    history.splice(0, history.length, ...entries);
  }
}

/** What was lost before comes before what is due. */
function dueAt({ row }: Gathered): number {
  return row[8] === null ? Number.NEGATIVE_INFINITY : Number(row[8]);
}

function toClaimedRun({ row, history, mail }: Gathered, historyLimit: number): ClaimedRun {
  const [instanceId, workflowName, input, createdAt, claim, isCancelled, cancelReason] = row;
  const [parentId, generation, isInputChecked, historyStart] = row.slice(9);
  history.sort((a, b) => a.seq - b.seq);
  return {
    instanceId: instanceId!,
    workflowName: workflowName!,
    input: input!,
    createdAt: Number(createdAt),
    claim: Number(claim),
    parentId: parentId ?? null,
    generation: Number(generation),
    isInputChecked: isInputChecked === 'true',
    historyStart: Number(historyStart),
    cancel: isCancelled === 'true' ? { reason: cancelReason ?? null } : null,
    mail: mail.sort(byMailId),
    history: history.slice(0, historyLimit),
    historyComplete: history.length <= historyLimit,
  };
}
