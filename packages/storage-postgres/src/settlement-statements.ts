// The statements within the functions of commits that both of them have.
import type { TableNames } from './table-names.js';

/**
 * The UPDATE, without what it returns.
 *
 * Rows are found and locked one by one in the order of the list, which is that of ids, as everywhere where several are waited for (a
 * delivery to a channel does the same). A list of one id, because from an equality of columns the planner could also make a join that
 * reads all of the table, or compares each with each. Whoever changes a row at the moment (a delivery, a cancellation) is waited for, and
 * the conditions are then asked of its newest version; from there on it cannot change.
 *
 * @param takesAll whether compensations that failed, and the versions that runs know of their rows, may come with it.
 */
export function settle(t: TableNames, { takesAll }: { readonly takesAll: boolean }): string {
  const of = (column: string): string => `settled_${column}[x.place]`;
  return `UPDATE ${t.instances.text} i
      SET status = CASE WHEN i.compensating AND ${of('type')} IN ('park', 'release') THEN 'compensating' ELSE ${of('status')} END, owner = NULL,
        attention = false, version = i.version + 1, output = ${of('output')}, error = ${of('error')},
        ${takesAll ? `compensation_failures = ${of('failures')}::json,` : ''}
        wake_at = CASE WHEN ${of('type')} = 'finish' THEN NULL WHEN ${of('type')} = 'release' AND ${of('wake')} IS NULL THEN stamp
          ELSE to_timestamp(${of('wake')} / 1000) END,
        finished_at = CASE WHEN ${of('type')} = 'finish' THEN stamp END
      FROM unnest(settled_instance) WITH ORDINALITY AS x (instance, place)
      WHERE i.instance_id = ANY(ARRAY[x.instance]) AND (i.owner = worker) IS TRUE AND i.claims = ${of('claim')}
        AND NOT (${of('type')} = 'park' AND i.attention${takesAll ? ` AND i.version IS DISTINCT FROM ${of('seen')}` : ''})
        AND NOT (${of('type')} = 'finish' AND ${of('status')} <> 'cancelled' AND i.cancel_requested_at IS NOT NULL)`;
}

/** Of this claim and not settled: refused. Not of this claim: a repetition of one that took effect. */
export function findRefused(t: TableNames): string {
  return `SELECT json_agg(x.instance) INTO refused
      FROM unnest(settled_instance, settled_claim) AS x (instance, claim)
      JOIN ${t.instances.text} i ON i.instance_id = ANY(ARRAY[x.instance])
      WHERE (i.owner = worker) IS TRUE AND i.claims = x.claim;`;
}

/**
 * What ended instances leave. All there is: a delivery writes mail under the lock of the row, so it was before, and these statements see it, or it
 * comes after and finds that the instance has ended.
 */
export function leave(t: TableNames): string {
  return `WITH mail AS (
        DELETE FROM ${t.mailbox.text} m WHERE m.instance_id = ANY(ended)
      ), subscribed AS (
        DELETE FROM ${t.subscriptions.text} s WHERE s.instance_id = ANY(ended)
      )
      DELETE FROM ${t.groupMembers.text} g WHERE g.instance_id = ANY(ended);`;
}

/**
 * By the places of the rows. Rows of the mailbox are never updated, and one that this statement sees cannot be vacuumed away under it, so a place holds
 * the row that was found there, or one that somebody else deleted first.
 */
export function removeTaken(t: TableNames): string {
  return `DELETE FROM ${t.mailbox.text} WHERE ctid = ANY(ARRAY(
      SELECT (SELECT m.ctid FROM ${t.mailbox.text} m WHERE m.instance_id = x.instance AND m.mail_id = x.mail)
      FROM unnest(taken_instance, taken_mail) AS x (instance, mail)
    ));`;
}
