// The function in the database that claims what is due, and its call.
import type { ClaimRequest } from '@romancy/core/ports';
import { attentionLimit, claimColumns, nulls, taking } from './claim-statement.js';
import { createFunction } from './create-function.js';
import { callName, functionName } from './function-settings.js';
import { historyColumns } from './history-rows.js';
import { mailColumns } from './mail-rows.js';
import { raw, sql, type Statement } from './sql.js';
import { clockMillis, millis } from './sql-time.js';
import type { TableNames } from './table-names.js';

/*
 * For the claim that is made as a rule: with room, and nothing lost. A function for the reason for which commits are one (see
 * commit-function.ts): a claim stands between every wake-up from another process and the next line of the workflow. The other claims (without
 * room, after a lost answer) are as rare as they are varied, and remain statements.
 *
 * Several small statements, where they are one large one: to get that ready took longer than its work, all the more where nothing is due. Each sees what
 * was committed before it began. So nothing that is read of a claimed instance can be older than its locked row, and what is next due is read
 * when that of the claimed ones is gone. The order of locks is the same.
 */

const name = 'claim_runs_1';

/** To be put into a migration. */
export function createClaimFunction(t: TableNames): string {
  const columns = ['tag', ...Array.from({ length: claimColumns }, (_, index) => `c${index + 1}`)].map(
    (column) => `${column} text`,
  );
  const lookForDue = `SELECT min(h.wake_at) INTO next_due FROM unnest(workflows) AS n (name) CROSS JOIN LATERAL (
    SELECT i.wake_at FROM ${t.instances.text} i WHERE i.workflow_name = n.name AND i.wake_at IS NOT NULL ORDER BY i.wake_at LIMIT 1
  ) h;`;
  return createFunction(t, {
    name,
    parameters: 'claimant text, workflows text[], room bigint, most_entries bigint, most_mail bigint',
    returns: `RETURNS TABLE (${columns.join(', ')})`,
    body: `
DECLARE
  next_due timestamptz;
  is_fenced boolean := true;
  ids text[];
  dues float8[];
BEGIN
  ${lookForDue}
  IF next_due <= now() THEN
    PERFORM FROM ${t.workers.text} w WHERE w.worker_id = claimant FOR KEY SHARE;
    is_fenced := FOUND;
    IF is_fenced THEN
      SELECT array_agg(p.instance_id), array_agg(p.due) INTO ids, dues FROM (
        SELECT d.instance_id, ${millis('d.wake_at').text} AS due FROM unnest(workflows) AS n (name) CROSS JOIN LATERAL (
          SELECT i.instance_id, i.wake_at FROM ${t.instances.text} i
          WHERE i.workflow_name = n.name AND i.wake_at <= now() ORDER BY i.wake_at LIMIT room FOR NO KEY UPDATE SKIP LOCKED
        ) d
        ORDER BY d.wake_at, d.instance_id LIMIT room
      ) p;
    END IF;
  END IF;

  IF ids IS NOT NULL THEN
    RETURN QUERY UPDATE ${t.instances.text} i SET owner = claimant, ${taking} FROM unnest(ids, dues) AS p (id, due)
      WHERE i.instance_id = ANY(ARRAY[p.id])
      RETURNING 'run', i.instance_id, i.workflow_name, i.input::text, ${millis('i.created_at').text}::text, i.claims::text,
        (i.cancel_requested_at IS NOT NULL)::text, i.cancel_reason, 'false', p.due::text,
        i.parent_id, i.generation::text, i.input_checked::text, i.history_start::text;
    RETURN QUERY SELECT 'entry', x.*${nulls(claimColumns - 8).text} FROM ${t.instances.text} i CROSS JOIN LATERAL (
        SELECT ${historyColumns.text} FROM ${t.history.text} h WHERE h.instance_id = i.instance_id AND h.seq > i.history_start
        ORDER BY h.seq LIMIT most_entries
      ) x WHERE i.instance_id = ANY(ids);
    RETURN QUERY SELECT 'mail', n.id, x.*${nulls(claimColumns - 5).text} FROM unnest(ids) AS n (id) CROSS JOIN LATERAL (
        SELECT ${mailColumns.text} FROM ${t.mailbox.text} m WHERE m.instance_id = n.id ORDER BY m.mail_id LIMIT most_mail
      ) x;
    ${lookForDue}
  END IF;

  RETURN QUERY SELECT 'meta', ${clockMillis.text}::text, ${millis('next_due').text}::text,
      ((SELECT w.worker_id FROM ${t.workers.text} w WHERE w.worker_id = claimant) IS NOT NULL)::text,
      is_fenced::text${nulls(claimColumns - 4).text}
    UNION ALL (SELECT 'attention', i.instance_id${nulls(claimColumns - 1).text} FROM ${t.instances.text} i
      WHERE i.owner = claimant AND i.attention LIMIT ${attentionLimit});
END
`,
  });
}

/** The call of the function, and the name under which sessions keep it parsed. */
export interface ClaimCall {
  readonly name: string;
  of(request: ClaimRequest): Statement;
}

export function createClaimCall(tables: TableNames): ClaimCall {
  const called = raw(functionName(tables, name));
  const of = ({ workerId, workflowNames, limit, historyLimit, mailLimit }: ClaimRequest): Statement =>
    sql`SELECT * FROM ${called}(${workerId}, ${[...new Set(workflowNames)]}, ${limit}, ${historyLimit + 1}, ${mailLimit})`;
  const nothing: ClaimRequest = { workerId: '', workflowNames: [], limit: 0, historyLimit: 0, mailLimit: 0, holding: null };
  return { name: callName(name, of(nothing).text), of };
}
