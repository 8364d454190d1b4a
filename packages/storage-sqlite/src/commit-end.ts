// The commit of the last entry of a run together with its end, if there is nothing else to it.
import type { ProgressBatch, ProgressResult } from '@romancy/core/ports';
import { nothingElse, writeEntry } from './commit-alone.js';
import { endAssignments, endValues } from './settle-run.js';
import { statementText } from './statement-text.js';
import type { WriteScope } from './write-scope.js';

// As a rule there is nothing that would be left behind.
const finish = statementText(
  ({ instances, mailbox, subscriptions, groupMembers }) => `UPDATE ${instances} SET owner = NULL, ${endAssignments}
    WHERE instance_id = ? AND owner = ? AND claims = ? AND cancel_requested_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM ${mailbox} m WHERE m.id = ${instances}.id)
      AND NOT EXISTS (SELECT 1 FROM ${subscriptions} s WHERE s.id = ${instances}.id)
      AND NOT EXISTS (SELECT 1 FROM ${groupMembers} g WHERE g.id = ${instances}.id)`,
);

/**
 * By two statements, as by hand; the commit of a whole batch looks up and asks what these have as their conditions.
 * @returns null when the batch is another one, or a condition did not hold: then the end is not written, and the commit of a whole batch, which
 * is to follow in the same transaction, finds out why. The entry may be there by then, and it takes none that is.
 * @param scope on its connection a transaction is open.
 */
export function commitEnd(scope: WriteScope, batch: ProgressBatch): ProgressResult | null {
  const { workerId, starts, entries, effects, subscriptions, takenMail, settlements } = batch;
  if (starts.length + effects.length + subscriptions.length + takenMail.length > 0) return null;
  const [entry, settlement] = [entries[0], settlements[0]];
  if (entry === undefined || settlement?.type !== 'finish' || entries.length + settlements.length !== 2) return null;
  const { instanceId, claim, status, messages = [], cancels = [] } = settlement;
  // Whoever is told of it, and an end which nothing can refuse, are left to the other one.
  if (messages.length + cancels.length > 0 || status === 'cancelled') return null;
  if (!writeEntry(scope, workerId, entry)) return null;
  const values = [...endValues(settlement, scope.now), instanceId, workerId, claim];
  return scope.connection.run(finish(scope.tables), ...values).changes === 1 ? nothingElse(scope) : null;
}
