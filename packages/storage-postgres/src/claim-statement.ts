// The one statement that claims due instances and brings along all that their runs need: of a worker without room, or after a lost answer.
import type { ClaimRequest } from '@romancy/core/ports';
import { aliveRow } from './fence.js';
import { historyColumns } from './history-rows.js';
import { mailColumns } from './mail-rows.js';
import { joined, raw, sql, type Sql } from './sql.js';
import { clockMillis, millis } from './sql-time.js';
import type { TableNames } from './table-names.js';

/*
 * Order of locks. First the fence (see fence.ts), and only when something is to be claimed: an idle poll writes nothing at all. Then,
 * after a claim whose answer was lost, the rows that this worker owns without knowing it, in the order of ids, as everywhere where
 * rows are waited for. Last the due rows, of which none is waited for (SKIP LOCKED): claimers neither wait for each other nor can be
 * part of a deadlock. (That the second comes before the third hangs on `picked`, whose LIMIT has to be computed before it asks `due`.)
 *
 * Per workflow name the oldest `limit` due rows are locked, then the oldest of all are taken. With several names that locks more rows
 * than are taken; they are free again when the statement ends. A claimer that comes in between may find less than there is, and
 * `nextDueAt` tells it so: that one is read without regard to locks.
 *
 * All that is read besides the locked rows is read as of the beginning of the statement. A delivery may commit after that and before
 * the row is locked: the row is then claimed in its newest version, while its mail would be missing, with its attention cleared. The
 * version of the row as it was at the beginning is therefore compared with the locked one; where they differ (`stale`), history and
 * mail are to be read again by a later statement. `attention` needs no such care: it is not cleared for rows that are only told.
 */

/** What a row of the answer is about; its thirteen other columns depend on it. */
export type ClaimTag = 'meta' | 'run' | 'entry' | 'mail' | 'attention';

/** How many columns a row of the answer has besides its tag. */
export const claimColumns = 13;

/** The most ids of instances with attention that are told at once. */
export const attentionLimit = 1000;

/** What a claim changes in a row, besides its owner. */
export const taking = `status = CASE WHEN i.compensating THEN 'compensating' ELSE 'running' END, wake_at = NULL, attention = false, error = NULL,
      claims = i.claims + 1, version = i.version + 1`;

/** What stands in the statement: its parameters. */
interface ClaimTerms {
  readonly worker: Sql;
  /** A list of texts, each once. */
  readonly workflows: Sql;
  readonly limit: Sql;
  /** One more than the limit of the request, which tells whether that was all. */
  readonly entries: Sql;
  readonly mail: Sql;
  /** A list of texts. Null: nothing can have been lost. */
  readonly holding: Sql | null;
  /** False: no room, nothing due is taken. */
  readonly takesDue: boolean;
}

/** The statement with the values of a request as its parameters. */
export function claimStatement(tables: TableNames, request: ClaimRequest): Sql {
  const { workerId, workflowNames, limit, historyLimit, mailLimit, holding } = request;
  return claimQuery(tables, {
    worker: sql`${workerId}`,
    workflows: sql`${[...new Set(workflowNames)]}::text[]`,
    limit: sql`${limit}`,
    entries: sql`${historyLimit + 1}`,
    mail: sql`${mailLimit}`,
    holding: holding === null ? null : sql`${holding}::text[]`,
    takesDue: limit > 0,
  });
}

function claimQuery(tables: TableNames, terms: ClaimTerms): Sql {
  const { worker, workflows, takesDue, holding } = terms;
  const heads = sql`heads AS MATERIALIZED (
    SELECT n.name, h.wake_at FROM unnest(${workflows}) AS n (name)
    CROSS JOIN LATERAL (
      SELECT i.wake_at FROM ${tables.instances} i WHERE i.workflow_name = n.name AND i.wake_at IS NOT NULL
      ORDER BY i.wake_at LIMIT 1
    ) h
  )`;
  const claims = takesDue || holding !== null;
  const wanted = holding === null ? raw('EXISTS (SELECT FROM heads WHERE wake_at <= now())') : raw('true');
  const meta = sql`SELECT 'meta', ${clockMillis}::text, ${nextDueAt(tables, takesDue)}::text,
    EXISTS (SELECT FROM ${tables.workers} w WHERE w.worker_id = ${worker})::text,
    ${claims ? sql`(NOT ${wanted} OR EXISTS (SELECT FROM alive))::text` : raw('NULL')}${nulls(claimColumns - 4)}`;
  const attention = sql`(SELECT 'attention', i.instance_id${nulls(claimColumns - 1)} FROM ${tables.instances} i
    WHERE i.owner = ${worker} AND i.attention
      ${holding === null ? raw('') : raw('AND i.instance_id NOT IN (SELECT instance_id FROM lost)')}
    LIMIT ${raw(String(attentionLimit))})`;
  const parts = claims ? [heads, ...claimParts(tables, terms, wanted)] : [heads];
  const answers = claims ? [meta, attention, ...claimAnswers(tables, terms)] : [meta, attention];
  return sql`WITH ${joined(parts, ',\n')}\n${joined(answers, '\nUNION ALL ')}`;
}

function claimParts(tables: TableNames, terms: ClaimTerms, wanted: Sql): readonly Sql[] {
  const { worker, limit, takesDue, holding } = terms;
  const alive = sql`alive AS MATERIALIZED (${aliveRow(tables, worker, wanted)})`;
  const lost = sql`lost AS MATERIALIZED (
    SELECT i.instance_id FROM ${tables.instances} i
    WHERE i.owner = ${worker} AND NOT i.instance_id = ANY(${holding ?? raw('NULL')}) AND EXISTS (SELECT FROM alive)
    ORDER BY i.instance_id FOR NO KEY UPDATE
  )`;
  const due = sql`due AS MATERIALIZED (
    SELECT d.instance_id, d.wake_at FROM heads h CROSS JOIN LATERAL (
      SELECT i.instance_id, i.wake_at FROM ${tables.instances} i
      WHERE i.workflow_name = h.name AND i.wake_at <= now() AND EXISTS (SELECT FROM alive)
      ORDER BY i.wake_at LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
    ) d WHERE h.wake_at <= now()
  )`;
  const room = holding === null ? sql`${limit}` : sql`greatest(0, ${limit}::bigint - (SELECT count(*) FROM lost))`;
  const picked = sql`picked AS MATERIALIZED (SELECT instance_id, wake_at FROM due ORDER BY wake_at, instance_id LIMIT ${room})`;
  const ids = [
    ...(takesDue ? [raw('SELECT instance_id FROM picked')] : []),
    ...(holding === null ? [] : [raw('SELECT instance_id FROM lost')]),
  ];
  const taken = sql`taken AS (
    UPDATE ${tables.instances} i
    SET owner = ${worker}, ${raw(taking)}
    WHERE i.instance_id = ANY(ARRAY(${joined(ids, ' UNION ALL ')}))
    RETURNING i.instance_id, i.workflow_name, i.input, i.created_at, i.claims, i.cancel_requested_at, i.cancel_reason, i.version,
      i.parent_id, i.generation, i.input_checked, i.history_start
  )`;
  return [alive, ...(holding === null ? [] : [lost]), ...(takesDue ? [due, picked] : []), taken];
}

function claimAnswers(tables: TableNames, { entries, mail, takesDue }: ClaimTerms): readonly Sql[] {
  const dueAt = takesDue ? millis('(SELECT p.wake_at FROM picked p WHERE p.instance_id = t.instance_id)') : raw('NULL');
  return [
    sql`SELECT 'run', t.instance_id, t.workflow_name, t.input::text, ${millis('t.created_at')}::text, t.claims::text,
        (t.cancel_requested_at IS NOT NULL)::text, t.cancel_reason, (s.version <> t.version - 1)::text, ${dueAt}::text,
        t.parent_id, t.generation::text, t.input_checked::text, t.history_start::text
      FROM taken t JOIN ${tables.instances} s ON s.instance_id = ANY(ARRAY[t.instance_id])`,
    sql`SELECT 'entry', x.*${nulls(claimColumns - 8)} FROM taken t CROSS JOIN LATERAL (
        SELECT ${historyColumns} FROM ${tables.history} h WHERE h.instance_id = t.instance_id AND h.seq > t.history_start
        ORDER BY h.seq LIMIT ${entries}
      ) x`,
    sql`SELECT 'mail', t.instance_id, x.*${nulls(claimColumns - 5)} FROM taken t CROSS JOIN LATERAL (
        SELECT ${mailColumns} FROM ${tables.mailbox} m WHERE m.instance_id = t.instance_id ORDER BY m.mail_id LIMIT ${mail}
      ) x`,
  ];
}

/** The first of what is left. The snapshot still shows as due what this statement takes, so that has to be left out. */
function nextDueAt(tables: TableNames, claimsDue: boolean): Sql {
  const first = raw('SELECT min(wake_at) FROM heads');
  if (!claimsDue) return millis(`(${first.text})`);
  return sql`CASE WHEN NOT EXISTS (SELECT FROM picked) THEN ${millis(`(${first.text})`)} ELSE (
    SELECT ${millis('min(x.wake_at)')} FROM heads h CROSS JOIN LATERAL (
      SELECT i.wake_at FROM ${tables.instances} i
      WHERE i.workflow_name = h.name AND i.wake_at IS NOT NULL AND i.instance_id NOT IN (SELECT instance_id FROM picked)
      ORDER BY i.wake_at LIMIT 1
    ) x
  ) END`;
}

/** Columns of an answer that say nothing. */
export function nulls(count: number): Sql {
  return raw(', NULL'.repeat(count));
}
