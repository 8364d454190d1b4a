// The commit of the last entry of a run together with its end, if there is nothing else to it.
import type { ProgressBatch, ProgressResult } from '@romancy/core/ports';
import { nothingElse, writeEntry } from './commit-alone.js';
import { endPlainly } from './settle-run.js';
import type { WriteScope } from './write-scope.js';

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
  return writeEntry(scope, workerId, entry) && endPlainly(scope, workerId, settlement) ? nothingElse(scope) : null;
}
