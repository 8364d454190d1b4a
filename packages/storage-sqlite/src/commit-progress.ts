// The commit of all that a process did since its last one.
import type { NewInstance, ProgressBatch, ProgressResult, Settlement } from '@romancy/core/ports';
import { requireAlive } from './fence.js';
import { createRecorder, InstanceLookup } from './record-progress.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

/** What a commit works with: a connection with an open transaction, and the one time of all that it writes. */
interface Scope {
  readonly connection: SqliteConnection;
  readonly tables: TableNames;
  readonly workerId: string;
  readonly now: number;
  readonly lookup: InstanceLookup;
}

export interface CommitRequest {
  readonly tables: TableNames;
  readonly batch: ProgressBatch;
  readonly now: number;
}

/** Writes a batch through a connection on which a transaction is open. */
export function commitProgress(connection: SqliteConnection, { tables, batch, now }: CommitRequest): ProgressResult {
  const { workerId } = batch;
  requireAlive(connection, tables, workerId);
  const lookup = new InstanceLookup(connection, tables);
  const scope: Scope = { connection, tables, workerId, now, lookup };

  const conflicts = batch.starts.filter((start) => !startInstance(scope, start)).map(({ instanceId }) => instanceId);
  // What the batch says of a refused start would land with the instance of somebody else. An id that this worker runs itself is meant:
  // it cannot run two, so a further start of it has done nothing yet.
  const strangers = new Set(conflicts.filter((instanceId) => lookup.get(instanceId).owner !== workerId));
  const isMeant = ({ instanceId }: { readonly instanceId: string }): boolean => !strangers.has(instanceId);

  const recorder = createRecorder(connection, { tables, lookup, now });
  for (const entry of batch.entries.filter(isMeant)) recorder.entry(entry);
  for (const subscription of batch.subscriptions.filter(isMeant)) recorder.subscription(subscription, workerId);
  for (const taken of batch.takenMail.filter(isMeant)) recorder.takenMail(taken);
  const refused = batch.settlements.filter((settlement) => isRefused(scope, settlement)).map(({ instanceId }) => instanceId);
  return { conflicts, refused, now };
}

/** @returns false when the id belongs to an instance of another start. */
function startInstance({ connection, tables, workerId, now, lookup }: Scope, start: NewInstance): boolean {
  const { instanceId, workflowName, input, startToken, owned } = start;
  const owner = owned ? workerId : null;
  const { changes, lastInsertRowid } = connection.run(
    `INSERT INTO ${tables.instances} (instance_id, workflow_name, status, owner, wake_at, claims, start_token, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance_id) DO NOTHING`,
    ...[instanceId, workflowName, owned ? 'running' : 'pending', owner, owned ? null : now, owned ? 1 : 0, startToken, now],
  );
  if (changes === 0) return lookup.get(instanceId).startToken === startToken;
  const id = Number(lastInsertRowid);
  connection.run(`INSERT INTO ${tables.inputs} (id, input) VALUES (?, ?)`, id, input);
  lookup.add(instanceId, { id, owner, startToken, claims: owned ? 1 : 0 });
  return true;
}

/**
 * Settles, and tells whether that was refused. An instance that this worker does not own any more, or owns by a later claim, was settled
 * before: not refused.
 */
function isRefused(scope: Scope, settlement: Settlement): boolean {
  const row = scope.lookup.find(settlement.instanceId);
  if (row === undefined || row.owner !== scope.workerId || row.claims !== settlement.claim) return false;
  return !settle(scope, settlement, row.id);
}

/** @returns false when its condition did not hold. */
function settle({ connection, tables, workerId, now }: Scope, settlement: Settlement, id: number): boolean {
  const update = (assignments: string, condition: string, ...values: readonly unknown[]): boolean =>
    connection.run(
      `UPDATE ${tables.instances} SET owner = NULL, ${assignments} WHERE id = ? AND owner = ? AND ${condition}`,
      ...values,
      id,
      workerId,
    ).changes === 1;
  switch (settlement.type) {
    case 'park':
      // The owner has not seen all that came: were it put away now, nobody would wake it for that.
      return update('status = ?, wake_at = ?', 'attention = 0', settlement.status, settlement.wakeAt);
    case 'release':
      return update(`status = 'pending', wake_at = ?`, 'TRUE', settlement.wakeAt ?? now);
    case 'stall':
      return update(`status = 'stalled', error = ?, wake_at = ?`, 'TRUE', settlement.error, settlement.wakeAt);
    case 'finish': {
      const { status, output, error } = settlement;
      const condition = status === 'cancelled' ? 'TRUE' : 'cancel_requested_at IS NULL';
      const assignments = 'status = ?, output = ?, error = ?, finished_at = ?, wake_at = NULL, attention = 0';
      if (!update(assignments, condition, status, output, error, now)) return false;
      connection.run(`DELETE FROM ${tables.mailbox} WHERE id = ?`, id);
      connection.run(`DELETE FROM ${tables.subscriptions} WHERE id = ?`, id);
      return true;
    }
  }
}
