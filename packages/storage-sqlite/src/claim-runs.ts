// Claims: due instances become this worker's, and come with all that a run needs.
import type { ClaimedRun, ClaimRequest, ClaimResult, PendingWork } from '@romancy/core/ports';
import { requireAlive } from './fence.js';
import { inputOf } from './input-place.js';
import { readHistory } from './read-history.js';
import { readMail } from './read-signals.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { SqliteFile } from './sqlite-file.js';
import { statusOr } from './status-or.js';
import type { TableNames } from './table-names.js';

/** At most so many ids of instances with attention are told at a time. */
const attentionLimit = 1000;

interface Candidate {
  readonly id: number;
  readonly wakeAt: number;
}

interface ClaimedRow {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly createdAt: number;
  readonly claim: number;
  readonly cancelRequestedAt: number | null;
  readonly cancelReason: string | null;
  readonly parentId: string | null;
  readonly generation: number;
  readonly inputChecked: 0 | 1;
  readonly historyStart: number;
  readonly input: string;
}

/** For whom work is looked for. */
type WorkSeeker = Pick<ClaimRequest, 'workerId' | 'workflowNames'>;

/** What a claim works with. */
interface Scope {
  readonly connection: SqliteConnection;
  readonly tables: TableNames;
  readonly request: ClaimRequest;
  readonly now: number;
}

/**
 * An idle process looks often and finds nothing: so a look comes first, which takes no lock. Only when something is due does a
 * transaction follow that writes, and in it all is read anew, for another process may have been faster.
 */
export async function claimRuns(file: SqliteFile, request: ClaimRequest): Promise<ClaimResult> {
  const { tables } = file;
  if (request.holding === null) {
    const look = await file.snapshot((connection) => {
      requireAlive(connection, tables, request.workerId);
      const scope = { connection, tables, request, now: file.now() };
      return { claimed: [], ...pendingRuns(connection, tables, request), now: scope.now };
    });
    if (request.limit === 0 || look.nextDueAt === null || look.nextDueAt > look.now) return look;
  }
  return file.write((connection) => {
    requireAlive(connection, tables, request.workerId);
    return claim({ connection, tables, request, now: file.now() });
  });
}

function claim(scope: Scope): ClaimResult {
  const lost = unknownToOwner(scope);
  const due = dueInstances(scope, Math.max(0, scope.request.limit - lost.length));
  const ids = [...lost, ...due];
  const taken = ids.map((id) => ({ id, row: take(scope, id) }));
  // Read after the attention was cleared, and in the same transaction: nothing of what is there can be overlooked by a later park.
  const claimed = taken.map(({ id, row }) => withAllItNeeds(scope, id, row));
  // What was just taken has no attention any more.
  return { claimed, ...pendingRuns(scope.connection, scope.tables, scope.request), now: scope.now };
}

/** What this worker owns without knowing it: a claim made it the owner, and the answer to that claim never came. */
function unknownToOwner({ connection, tables, request }: Scope): readonly number[] {
  if (request.holding === null) return [];
  const known = new Set(request.holding);
  const sql = `SELECT id, instance_id AS instanceId FROM ${tables.instances} WHERE owner = ?`;
  const owned = connection.all<{ readonly id: number; readonly instanceId: string }>(sql, request.workerId);
  const unknown = owned.filter(({ instanceId }) => !known.has(instanceId)).map(({ id }) => id);
  return unknown.sort((a, b) => a - b);
}

/**
 * The longest due first; at equal times the oldest. One look into the index per workflow that has something due, each bounded: what
 * other workflows have due costs nothing.
 */
function dueInstances({ connection, tables, request, now }: Scope, limit: number): readonly number[] {
  if (limit === 0) return [];
  const sql = `SELECT id, wake_at AS wakeAt FROM ${tables.instances}
    WHERE workflow_name = ? AND wake_at IS NOT NULL AND wake_at <= ? ORDER BY wake_at, id LIMIT ?`;
  const candidates = names(request).flatMap((name) => connection.all<Candidate>(sql, name, now, limit));
  candidates.sort((a, b) => a.wakeAt - b.wakeAt || a.id - b.id);
  return candidates.slice(0, limit).map(({ id }) => id);
}

function take({ connection, tables, request }: Scope, id: number): ClaimedRow {
  const sql = `UPDATE ${tables.instances}
    SET owner = ?, status = ${statusOr(`'running'`)}, wake_at = NULL, attention = 0, error = NULL, claims = claims + 1 WHERE id = ?
    RETURNING instance_id AS instanceId, workflow_name AS workflowName, created_at AS createdAt, claims AS claim,
      cancel_requested_at AS cancelRequestedAt, cancel_reason AS cancelReason,
      parent_id AS parentId, generation, input_checked AS inputChecked, history_start AS historyStart,
      ${inputOf(tables, tables.instances)} AS input`;
  return connection.get<ClaimedRow>(sql, request.workerId, id)!;
}

function withAllItNeeds({ connection, tables, request }: Scope, id: number, row: ClaimedRow): ClaimedRun {
  const { instanceId, workflowName, createdAt, claim, cancelRequestedAt, cancelReason, parentId, generation, historyStart } = row;
  const { historyLimit, mailLimit } = request;
  // One more than wanted tells whether more follow.
  const part = { instanceId, id, start: historyStart, end: null };
  const entries = readHistory(connection, { tables, part, afterSeq: null, limit: historyLimit + 1 });
  return {
    instanceId,
    workflowName,
    createdAt,
    claim,
    parentId,
    generation,
    isInputChecked: row.inputChecked === 1,
    historyStart,
    input: row.input,
    cancel: cancelRequestedAt === null ? null : { reason: cancelReason },
    mail: readMail(connection, { tables, id, limit: mailLimit }),
    history: entries.length > historyLimit ? entries.slice(0, historyLimit) : entries,
    historyComplete: entries.length <= historyLimit,
  };
}

/** What a worker has to do with instances, without a claim. */
export function pendingRuns(
  connection: SqliteConnection,
  tables: TableNames,
  worker: WorkSeeker,
): Pick<PendingWork, 'nextDueAt' | 'attention'> {
  return { nextDueAt: nextDueAt(connection, tables, worker), attention: attentionOf(connection, tables, worker) };
}

function attentionOf(connection: SqliteConnection, tables: TableNames, { workerId }: WorkSeeker): readonly string[] {
  const sql = `SELECT instance_id AS instanceId FROM ${tables.instances}
    WHERE owner = ? AND owner IS NOT NULL AND attention = 1 LIMIT ${attentionLimit}`;
  return connection.all<{ readonly instanceId: string }>(sql, workerId).map(({ instanceId }) => instanceId);
}

function nextDueAt(connection: SqliteConnection, tables: TableNames, worker: WorkSeeker): number | null {
  const sql = `SELECT wake_at AS wakeAt FROM ${tables.instances}
    WHERE workflow_name = ? AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1`;
  let earliest: number | null = null;
  for (const name of names(worker)) {
    const head = connection.get<{ readonly wakeAt: number }>(sql, name);
    if (head !== undefined && (earliest === null || head.wakeAt < earliest)) earliest = head.wakeAt;
  }
  return earliest;
}

function names({ workflowNames }: WorkSeeker): readonly string[] {
  return [...new Set(workflowNames)];
}
