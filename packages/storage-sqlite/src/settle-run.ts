// How a run leaves the process that owned it.
import type { ProgressResult, Settlement } from '@romancy/core/ports';
import { givenUpColumns, handOut, putBack, type GivenUpMail } from './message-queue.js';
import { recur } from './recur.js';
import { requestCancel } from './request-cancel.js';
import { sendMessage } from './send-message.js';
import { statementText, type StatementText } from './statement-text.js';
import { statusOr } from './status-or.js';
import type { WorkerScope } from './worker-scope.js';
import type { WriteScope } from './write-scope.js';

export interface SettledRun extends Pick<ProgressResult, 'undelivered'> {
  /** Its condition did not hold; nothing was done. */
  readonly isRefused: boolean;
}

type Finish = Extract<Settlement, { type: 'finish' }>;

/** What an end writes into the row, in the order of {@link endValues}. */
const endAssignments =
  'status = ?, output = ?, error = ?, compensation_failures = ?, finished_at = ?, wake_at = NULL, attention = 0';

function endValues({ status, output, error, compensationFailures }: Finish, now: number): readonly unknown[] {
  return [status, output, error, compensationFailures ?? null, now];
}

const done: SettledRun = { isRefused: false, undelivered: [] };
const refused: SettledRun = { isRefused: true, undelivered: [] };

/** An update of the row, which nobody owns from then on. */
function leaving(assignments: string, condition: string): StatementText {
  return statementText(
    ({ instances }) => `UPDATE ${instances} SET owner = NULL, ${assignments} WHERE id = ? AND owner = ? AND ${condition}`,
  );
}

// The owner has not seen all that came: were it put away now, nobody would wake it for that.
const park = leaving(`status = ${statusOr('?')}, wake_at = ?`, 'attention = 0');
const release = leaving(`status = ${statusOr(`'pending'`)}, wake_at = ?`, 'TRUE');
const stall = leaving(`status = 'stalled', error = ?, wake_at = ?`, 'TRUE');
const finishCancelled = leaving(endAssignments, 'TRUE');
const finishUncancelled = leaving(endAssignments, 'cancel_requested_at IS NULL');
// As a rule there is nothing that would be left behind, nobody who is told, and nothing that refuses it; then this is all.
const finishPlainly = statementText(
  ({ instances, mailbox, subscriptions, groupMembers }) => `UPDATE ${instances} SET owner = NULL, ${endAssignments}
    WHERE instance_id = ? AND owner = ? AND claims = ? AND cancel_requested_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM ${mailbox} m WHERE m.id = ${instances}.id)
      AND NOT EXISTS (SELECT 1 FROM ${subscriptions} s WHERE s.id = ${instances}.id)
      AND NOT EXISTS (SELECT 1 FROM ${groupMembers} g WHERE g.id = ${instances}.id)`,
);
// As a rule there is nothing, and one look is less than three removals.
const anything = statementText(
  ({ mailbox, subscriptions, groupMembers }) => `SELECT 1 WHERE EXISTS (SELECT 1 FROM ${mailbox} WHERE id = ?)
    OR EXISTS (SELECT 1 FROM ${subscriptions} WHERE id = ?) OR EXISTS (SELECT 1 FROM ${groupMembers} WHERE id = ?)`,
);

/**
 * Ends an instance by one statement, without a look at it first.
 * @returns false: nothing was done, for there is more to this end, or it is not to take place.
 */
export function endPlainly({ connection, tables, now }: WriteScope, workerId: string, settlement: Settlement): boolean {
  if (settlement.type !== 'finish' || settlement.status === 'cancelled') return false;
  const { instanceId, claim, messages, cancels } = settlement;
  if ((messages?.length ?? 0) + (cancels?.length ?? 0) > 0) return false;
  const values = [...endValues(settlement, now), instanceId, workerId, claim];
  return connection.run(finishPlainly(tables), ...values).changes === 1;
}

/** An instance that this worker does not own any more, or owns by a later claim, was settled before: not refused. */
export function settleRun(scope: WorkerScope, settlement: Settlement): SettledRun {
  const { connection, tables, workerId, now } = scope;
  if (endPlainly(scope, workerId, settlement)) return done;
  const row = scope.lookup.find(settlement.instanceId);
  if (row === undefined || row.owner !== workerId || row.claims !== settlement.claim) return done;
  const update = (text: StatementText, ...values: readonly unknown[]): boolean =>
    connection.run(text(tables), ...values, row.id, workerId).changes === 1;
  switch (settlement.type) {
    case 'park':
      return update(park, settlement.status, settlement.wakeAt) ? done : refused;
    case 'release':
      return update(release, settlement.wakeAt ?? now) ? done : refused;
    case 'stall':
      return update(stall, settlement.error, settlement.wakeAt) ? done : refused;
    case 'recur':
      return recur(scope, row, settlement) ? done : refused;
    case 'finish': {
      const finish = settlement.status === 'cancelled' ? finishCancelled : finishUncancelled;
      if (!update(finish, ...endValues(settlement, now))) return refused;
      clear(scope, row.id);
      return { isRefused: false, undelivered: sendWith(scope, settlement) };
    }
  }
}

/** Nothing that waits, is subscribed or belongs to a group is left behind, and what it had from queues goes to others. */
function clear(scope: WorkerScope, id: number): void {
  const { connection, tables } = scope;
  if (connection.get(anything(tables), id, id, id) === undefined) return;
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
