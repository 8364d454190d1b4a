// The one statement that commits a batch of progress.
import type { ProgressBatch } from '@romancy/core/ports';
import { aliveRow } from './fence.js';
import { progressParts } from './progress-parts.js';
import { settledState, startedState, type SettledState } from './settled-state.js';
import { joined, raw, sql, type Sql } from './sql.js';
import { clockMillis, instant, storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

/*
 * Everything is one statement, so that a batch is one round trip and one transaction without BEGIN and COMMIT. Parts for which the
 * batch has nothing are left out. All parts of a statement see the tables as they were when it began; what they do reaches the others
 * only through RETURNING. Three rules keep that right:
 *
 * - Nothing is written without a row of `alive` (see fence.ts), which is locked before anything else.
 * - An instance that is settled is locked first (`held`), in the order of ids. Locking waits for whoever changes the row at the
 *   moment (a delivery, a cancellation) and then reads its newest version, so whether it is still the claim that the settlement
 *   names, and `refused`, are decided on what is there, not on what was there when the statement began; and from then on it
 *   cannot change. Rows are locked in the order of ids everywhere, so two statements that lock several never wait for each other
 *   in a circle; starts wait only for other starts of the same ids, which are sorted too, and no statement that changes rows of
 *   others starts instances.
 * - A start and a settlement of one instance in the same batch become one insert of the final state, since no part can update a row
 *   that another part of the same statement has inserted.
 */

/** A row of the answer: what it is about, and an id. */
export type CommitTag = 'alive' | 'now' | 'started' | 'refused' | 'overtaken';

interface StartRow {
  readonly start: ProgressBatch['starts'][number];
  readonly state: SettledState;
  readonly owned: boolean;
}

export function commitStatement(tables: TableNames, batch: ProgressBatch): Sql {
  const parts: Sql[] = [sql`alive AS MATERIALIZED (${aliveRow(tables, batch.workerId)})`];
  const answers: Sql[] = [sql`SELECT 'now' AS tag, ${clockMillis}::text AS id`, sql`SELECT 'alive', worker_id FROM alive`];
  if (batch.starts.length > 0) {
    parts.push(startPart(tables, batch));
    answers.push(sql`SELECT 'started', start_token FROM started`);
  }
  if (batch.settlements.length > 0) {
    const settling = settlementParts(tables, batch);
    parts.push(...settling.parts);
    answers.push(...settling.answers);
  }
  parts.push(...progressParts(tables, batch));
  return sql`WITH ${joined(parts, ',\n')}\n${joined(answers, '\nUNION ALL ')}`;
}

function startPart(tables: TableNames, batch: ProgressBatch): Sql {
  const rows = startRows(batch);
  const of = <T>(pick: (row: StartRow) => T): T[] => rows.map(pick);
  return sql`started AS (
    INSERT INTO ${tables.instances} (instance_id, workflow_name, input, start_token, status, owner, claims, wake_at, output, error,
      created_at, finished_at)
    SELECT s.instance_id, s.workflow_name, s.input::json, s.start_token, s.status, CASE WHEN s.owned THEN ${batch.workerId} END,
      s.claims, CASE WHEN s.due_now THEN ${storedNow} ELSE ${instant(raw('s.wake_at'))} END, s.output::json, s.error::json,
      ${storedNow}, CASE WHEN s.ended THEN ${storedNow} END
    FROM alive CROSS JOIN unnest(
      ${of(({ start }) => start.instanceId)}::text[], ${of(({ start }) => start.workflowName)}::text[],
      ${of(({ start }) => start.input)}::text[], ${of(({ start }) => start.startToken)}::text[],
      ${of(({ state }) => state.status)}::text[], ${of(({ owned }) => owned)}::bool[],
      ${of(({ start }) => (start.owned ? 1 : 0))}::int[], ${of(({ state }) => state.dueNow)}::bool[],
      ${of(({ state }) => state.wakeAt)}::float8[], ${of(({ state }) => state.output)}::text[],
      ${of(({ state }) => state.error)}::text[], ${of(({ state }) => state.ended)}::bool[]
    ) AS s (instance_id, workflow_name, input, start_token, status, owned, claims, due_now, wake_at, output, error, ended)
    ON CONFLICT (instance_id) DO NOTHING
    RETURNING instance_id, start_token, finished_at
  )`;
}

/** Starts in the order of their ids, each in the state in which it leaves the batch. */
function startRows({ starts, settlements }: ProgressBatch): readonly StartRow[] {
  const settlementOf = new Map(settlements.map((settlement) => [settlement.instanceId, settlement]));
  return [...starts]
    .sort((a, b) => (a.instanceId < b.instanceId ? -1 : a.instanceId > b.instanceId ? 1 : 0))
    .map((start) => {
      const { instanceId } = start;
      const settlement = start.owned ? settlementOf.get(instanceId) : undefined;
      // Nothing can have come for an instance that nobody has seen yet: no settlement of a new one is refused.
      if (settlement?.claim === 1) return { start, state: settledState(settlement), owned: false };
      return { start, state: startedState(instanceId, start.owned), owned: start.owned };
    });
}

function settlementParts(tables: TableNames, batch: ProgressBatch) {
  const states = batch.settlements.map(settledState);
  const of = <T>(pick: (state: SettledState) => T): T[] => states.map(pick);
  const ending = states.filter((state) => state.ended).map((state) => state.instanceId);
  const parts = [
    sql`wanted AS MATERIALIZED (
      SELECT * FROM unnest(
        ${of((state) => state.instanceId)}::text[], ${batch.settlements.map(({ claim }) => claim)}::int[],
        ${of((state) => state.status)}::text[], ${of((state) => state.dueNow)}::bool[], ${of((state) => state.wakeAt)}::float8[],
        ${of((state) => state.output)}::text[], ${of((state) => state.error)}::text[], ${of((state) => state.ended)}::bool[],
        ${of((state) => state.unlessAttention)}::bool[], ${of((state) => state.unlessCancelled)}::bool[]
      ) AS u (instance_id, claim, status, due_now, wake_at, output, error, ended, unless_attention, unless_cancelled)
    )`,
    sql`held AS MATERIALIZED (
      SELECT i.instance_id, i.version, u.ended,
        (u.unless_attention AND i.attention) OR (u.unless_cancelled AND i.cancel_requested_at IS NOT NULL) AS refused
      FROM alive CROSS JOIN wanted u JOIN ${tables.instances} i ON i.instance_id = u.instance_id
      WHERE i.owner = ${batch.workerId} AND i.claims = u.claim
      ORDER BY i.instance_id FOR NO KEY UPDATE OF i
    )`,
    sql`settled AS (
      UPDATE ${tables.instances} i
      SET status = u.status, owner = NULL, attention = false, version = i.version + 1, output = u.output::json, error = u.error::json,
        wake_at = CASE WHEN u.ended THEN NULL WHEN u.due_now THEN ${storedNow} ELSE ${instant(raw('u.wake_at'))} END,
        finished_at = CASE WHEN u.ended THEN ${storedNow} END
      FROM held h JOIN wanted u ON u.instance_id = h.instance_id
      WHERE i.instance_id = h.instance_id AND NOT h.refused
      RETURNING i.instance_id, i.finished_at
    )`,
  ];
  const answers = [sql`SELECT 'refused', instance_id FROM held WHERE refused`];
  if (ending.length > 0) {
    parts.push(sql`emptied AS (${deleteOfEnded(tables.mailbox)})`, sql`unsubscribed AS (${deleteOfEnded(tables.subscriptions)})`);
    // Mail of a delivery that committed between the beginning of this statement and the locking of the row: `emptied` cannot see it.
    // The version tells, since every delivery raises it.
    answers.push(sql`SELECT 'overtaken', h.instance_id FROM held h
      JOIN ${tables.instances} i ON i.instance_id = h.instance_id AND i.instance_id = ANY(${ending}::text[])
      WHERE h.ended AND NOT h.refused AND i.version <> h.version`);
  }
  return { parts, answers };
}

/** Instance by instance and by the places of the rows, for the reason that {@link progressParts} has for taken mail. */
function deleteOfEnded(table: Sql): Sql {
  return sql`DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
    SELECT x.ctid FROM settled d
    CROSS JOIN LATERAL (SELECT r.ctid FROM ${table} r WHERE r.instance_id = d.instance_id OFFSET 0) x
    WHERE d.finished_at IS NOT NULL
  ))`;
}
