// How a run leaves the process that owned it.
import type { ProgressResult, Settlement } from '@romancy/core/ports';
import { givenUpColumns, handOut, putBack, type GivenUpMail } from './message-queue.js';
import { recur } from './recur.js';
import { requestCancel } from './request-cancel.js';
import { sendMessage } from './send-message.js';
import { statusOr } from './status-or.js';
import type { WorkerScope } from './worker-scope.js';

export interface SettledRun extends Pick<ProgressResult, 'undelivered'> {
  /** Its condition did not hold; nothing was done. */
  readonly isRefused: boolean;
}

type Finish = Extract<Settlement, { type: 'finish' }>;

const done: SettledRun = { isRefused: false, undelivered: [] };
const refused: SettledRun = { isRefused: true, undelivered: [] };

/** An instance that this worker does not own any more, or owns by a later claim, was settled before: not refused. */
export function settleRun(scope: WorkerScope, settlement: Settlement): SettledRun {
  const { connection, tables, workerId, now } = scope;
  const row = scope.lookup.find(settlement.instanceId);
  if (row === undefined || row.owner !== workerId || row.claims !== settlement.claim) return done;
  const update = (assignments: string, condition: string, ...values: readonly unknown[]): boolean =>
    connection.run(
      `UPDATE ${tables.instances} SET owner = NULL, ${assignments} WHERE id = ? AND owner = ? AND ${condition}`,
      ...values,
      row.id,
      workerId,
    ).changes === 1;
  switch (settlement.type) {
    case 'park':
      // The owner has not seen all that came: were it put away now, nobody would wake it for that.
      return update(`status = ${statusOr('?')}, wake_at = ?`, 'attention = 0', settlement.status, settlement.wakeAt)
        ? done
        : refused;
    case 'release':
      return update(`status = ${statusOr(`'pending'`)}, wake_at = ?`, 'TRUE', settlement.wakeAt ?? now) ? done : refused;
    case 'stall':
      return update(`status = 'stalled', error = ?, wake_at = ?`, 'TRUE', settlement.error, settlement.wakeAt) ? done : refused;
    case 'recur':
      return recur(scope, row, settlement) ? done : refused;
    case 'finish': {
      const { status, output, error, compensationFailures } = settlement;
      const condition = status === 'cancelled' ? 'TRUE' : 'cancel_requested_at IS NULL';
      const assignments = `status = ?, output = ?, error = ?, compensation_failures = ?, finished_at = ?, wake_at = NULL, attention = 0`;
      if (!update(assignments, condition, status, output, error, compensationFailures ?? null, now)) return refused;
      clear(scope, row.id);
      return { isRefused: false, undelivered: sendWith(scope, settlement) };
    }
  }
}

/** Nothing that waits, is subscribed or belongs to a group is left behind, and what it had from queues goes to others. */
function clear(scope: WorkerScope, id: number): void {
  const { connection, tables } = scope;
  // As a rule there is nothing, and one look is less than three removals.
  const anything = `SELECT 1 WHERE EXISTS (SELECT 1 FROM ${tables.mailbox} WHERE id = ?)
    OR EXISTS (SELECT 1 FROM ${tables.subscriptions} WHERE id = ?) OR EXISTS (SELECT 1 FROM ${tables.groupMembers} WHERE id = ?)`;
  if (connection.get(anything, id, id, id) === undefined) return;
  const mail = connection.all<GivenUpMail>(`DELETE FROM ${tables.mailbox} WHERE id = ? RETURNING ${givenUpColumns}`, id);
  connection.run(`DELETE FROM ${tables.subscriptions} WHERE id = ?`, id);
  connection.run(`DELETE FROM ${tables.groupMembers} WHERE id = ?`, id);
  for (const topic of putBack(scope, mail)) handOut(scope, topic);
}

function sendWith(scope: WorkerScope, { messages = [], cancels = [] }: Finish): ProgressResult['undelivered'] {
  const undelivered: ProgressResult['undelivered'][number][] = [];
  for (const message of messages) {
    // Of its own it gets nothing: it has ended.
    const sent = sendMessage(scope, message, undefined);
    if (sent === 'queued') handOut(scope, message.topic);
    const isLost = sent === 'unknown' || sent === 'finished';
    if (isLost && message.to.type === 'instance') {
      undelivered.push({ messageId: message.messageId, instanceId: message.to.instanceId });
    }
  }
  for (const order of cancels) requestCancel(scope, order);
  return undelivered;
}
