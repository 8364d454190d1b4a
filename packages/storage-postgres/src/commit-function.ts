// The function in the database that commits a batch of progress, and its call.
import type { ProgressBatch } from '@romancy/core/ports';
import { arrayLiteral, type ArrayItem } from './array-literal.js';
import { bodyTag, callName, functionName, functionSettings } from './function-settings.js';
import type { SqlValue, Statement } from './sql.js';
import type { TableNames } from './table-names.js';

/*
 * A function, so that a batch is one round trip and one transaction without BEGIN and COMMIT, and so that nothing is planned anew for
 * each: planning took longer than the work. Prepared statements would not do: transaction poolers lose or refuse them (a call that is
 * prepared where it can be saves the parsing), and their plans are made anew for each list that is shorter than a guess. The settings of the function hold for it alone:
 *
 * - One plan per statement and session, made at the first call. It must therefore be right for tables of every size, whatever they were
 *   then, and the planner is left no other: rows are found by lists of keys (`= ANY`), or one by one in a sub-select, never by a join that
 *   could as well begin with the whole table. `(owner = worker) IS TRUE` says the same as without IS TRUE, but not to an index: by that
 *   one, all that a worker owns would be read.
 * - Names are those of this schema and of PostgreSQL, whatever the session's search_path says; and a change of it makes no plan anew.
 *
 * Like a table it is part of a version of the schema: one that was published is never changed, what comes later has another name.
 */

const name = 'commit_progress_1';
const parameterCount = 24;

/** What the function writes, and the races it is in. To be put into a migration. */
export function createCommitFunction(t: TableNames): string {
  const body = bodyOf(t);
  const tag = bodyTag(body);
  return `
CREATE FUNCTION ${functionName(t, name)}(
  worker text,
  start_id text[], start_workflow text[], start_input text[], start_token text[], start_owned boolean[],
  entry_instance text[], entry_seq integer[], entry_kind text[], entry_call text[], entry_position integer[], entry_data text[],
  entry_due float8[],
  subscribed_channel text[], subscribed_instance text[],
  taken_instance text[], taken_mail bigint[],
  settled_instance text[], settled_claim integer[], settled_type text[], settled_status text[], settled_wake float8[],
  settled_output text[], settled_error text[],
  OUT alive boolean, OUT clock bigint, OUT conflicts json, OUT refused json
) LANGUAGE plpgsql
${functionSettings}
AS ${tag}${body}${tag}`;
}

function bodyOf(t: TableNames): string {
  return `
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  affected integer;
  strangers text[];
  ended text[];
BEGIN
  -- The fence. Nothing is written without the worker's row, and it cannot go while this holds it: conflicts with the DELETE by which a
  -- worker is declared dead, and with nothing else that happens to the row. The first lock, so whoever waits here holds nothing.
  PERFORM FROM ${t.workers.text} w WHERE w.worker_id = worker FOR KEY SHARE;
  alive := FOUND;
  -- At this moment, not at the beginning: a call that had to wait for a lock must not tell a time of before.
  clock := floor(extract(epoch FROM clock_timestamp()) * 1000);
  IF NOT alive THEN
    RETURN;
  END IF;

  -- In the order of ids, as everywhere where several rows are waited for: of another start of the same id, here.
  IF start_id IS NOT NULL THEN
    INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, start_token, status, owner, claims, wake_at, created_at)
    SELECT s.id, s.workflow, s.input::json, s.token, CASE WHEN s.owned THEN 'running' ELSE 'pending' END,
      CASE WHEN s.owned THEN worker END, s.owned::integer, CASE WHEN NOT s.owned THEN stamp END, stamp
    FROM unnest(start_id, start_workflow, start_input, start_token, start_owned) AS s (id, workflow, input, token, owned)
    ON CONFLICT (instance_id) DO NOTHING;
    GET DIAGNOSTICS affected = ROW_COUNT;
    -- One that inserted nothing found its own row, made by this very batch before, or another's. This statement sees which: also rows
    -- that were committed after the one above began. What the batch says of an id that somebody else has is not meant for that one; of
    -- one that this worker runs itself, it is: it cannot run two, so a further start of it has done nothing yet.
    IF affected < cardinality(start_id) THEN
      SELECT json_agg(s.id), array_agg(s.id) FILTER (WHERE (i.owner = worker) IS NOT TRUE) INTO conflicts, strangers
      FROM unnest(start_id, start_token) AS s (id, token)
      LEFT JOIN ${t.instances.text} i ON i.instance_id = ANY(ARRAY[s.id])
      WHERE i.start_token IS DISTINCT FROM s.token;
    END IF;
  END IF;

  -- Entries go by the fence alone: nobody else writes those of an instance while its owner lives. A repetition keeps what is there.
  IF entry_instance IS NOT NULL THEN
    INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
    SELECT e.instance, e.seq, e.kind, e.call, e.place, e.data::json, to_timestamp(e.due / 1000), stamp
    FROM unnest(entry_instance, entry_seq, entry_kind, entry_call, entry_position, entry_data, entry_due)
      AS e (instance, seq, kind, call, place, data, due)
    WHERE strangers IS NULL OR NOT e.instance = ANY(strangers)
    ON CONFLICT (instance_id, seq) DO NOTHING;
  END IF;

  -- Only while the instance is owned: a repetition must not leave one with an instance that has ended meanwhile.
  IF subscribed_channel IS NOT NULL THEN
    INSERT INTO ${t.subscriptions.text} (channel, instance_id)
    SELECT b.channel, b.instance FROM unnest(subscribed_channel, subscribed_instance) AS b (channel, instance)
    WHERE (SELECT i.owner FROM ${t.instances.text} i WHERE i.instance_id = b.instance) = worker
    ON CONFLICT (channel, instance_id) DO NOTHING;
  END IF;

  -- By the places of the rows. Rows of the mailbox are never updated, and one that this statement sees cannot be vacuumed away under it,
  -- so a place holds the row that was found there, or one that somebody else deleted first.
  IF taken_instance IS NOT NULL THEN
    DELETE FROM ${t.mailbox.text} WHERE ctid = ANY(ARRAY(
      SELECT (SELECT m.ctid FROM ${t.mailbox.text} m WHERE m.instance_id = x.instance AND m.mail_id = x.mail)
      FROM unnest(taken_instance, taken_mail) AS x (instance, mail)
    ));
  END IF;

  -- Rows are found and locked one by one in the order of the list, which is that of ids, as everywhere where several are waited for (a
  -- delivery to a channel does the same). A list of one id, because from an equality of columns the planner could also make a join that
  -- reads all of the table, or compares each with each. Whoever changes a row at the moment (a delivery, a cancellation) is waited for, and
  -- the conditions are then asked of its newest version; from there on it cannot change.
  IF settled_instance IS NOT NULL THEN
    WITH settled AS (
      UPDATE ${t.instances.text} i
      SET status = x.status, owner = NULL, attention = false, version = i.version + 1, output = x.output::json, error = x.error::json,
        wake_at = CASE WHEN x.type = 'finish' THEN NULL WHEN x.type = 'release' AND x.wake IS NULL THEN stamp
          ELSE to_timestamp(x.wake / 1000) END,
        finished_at = CASE WHEN x.type = 'finish' THEN stamp END
      FROM unnest(settled_instance, settled_claim, settled_type, settled_status, settled_wake, settled_output, settled_error)
        AS x (instance, claim, type, status, wake, output, error)
      WHERE i.instance_id = ANY(ARRAY[x.instance]) AND (i.owner = worker) IS TRUE AND i.claims = x.claim
        AND NOT (x.type = 'park' AND i.attention)
        AND NOT (x.type = 'finish' AND x.status <> 'cancelled' AND i.cancel_requested_at IS NOT NULL)
      RETURNING i.instance_id, i.finished_at
    )
    SELECT count(*), array_agg(s.instance_id) FILTER (WHERE s.finished_at IS NOT NULL) INTO affected, ended FROM settled s;
    -- Of this claim and not settled: refused. Not of this claim: a repetition of one that took effect.
    IF affected < cardinality(settled_instance) THEN
      SELECT json_agg(x.instance) INTO refused
      FROM unnest(settled_instance, settled_claim) AS x (instance, claim)
      JOIN ${t.instances.text} i ON i.instance_id = ANY(ARRAY[x.instance])
      WHERE (i.owner = worker) IS TRUE AND i.claims = x.claim;
    END IF;
    -- All there is: a delivery writes mail under the lock of the row, so it was before, and these statements see it, or it comes after
    -- and finds that the instance has ended.
    IF ended IS NOT NULL THEN
      DELETE FROM ${t.mailbox.text} m WHERE m.instance_id = ANY(ended);
      DELETE FROM ${t.subscriptions.text} s WHERE s.instance_id = ANY(ended);
    END IF;
  END IF;
END
`;
}

/** The call of the function: its text is made once, and its name as a prepared statement is that of no other text. */
export interface CommitCall {
  readonly name: string;
  /** One row: whether the worker lives, the clock in milliseconds, and as JSON lists, or null, the ids of conflicts and of what was refused. */
  of(batch: ProgressBatch): Statement;
}

export function createCommitCall(tables: TableNames): CommitCall {
  const parameters = Array.from({ length: parameterCount }, (_, index) => `$${index + 1}`).join(', ');
  const text = `SELECT alive, clock, conflicts, refused FROM ${functionName(tables, name)}(${parameters})`;
  return { name: callName(tables, name), of: (batch) => ({ text, values: parametersOf(batch) }) };
}

function parametersOf(batch: ProgressBatch): readonly SqlValue[] {
  const starts = byInstanceId(batch.starts);
  const { entries, subscriptions, takenMail } = batch;
  const settlements = byInstanceId(batch.settlements);
  return [
    batch.workerId,
    ...columns(starts, [
      (start) => start.instanceId,
      (start) => start.workflowName,
      (start) => start.input,
      (start) => start.startToken,
      (start) => start.owned,
    ]),
    ...columns(entries, [
      (entry) => entry.instanceId,
      (entry) => entry.seq,
      (entry) => entry.kind,
      (entry) => entry.callId,
      (entry) => entry.position,
      (entry) => entry.data,
      (entry) => entry.dueAt,
    ]),
    ...columns(subscriptions, [({ channel }) => channel, ({ instanceId }) => instanceId]),
    ...columns(takenMail, [({ instanceId }) => instanceId, ({ mailId }) => mailId]),
    ...columns(settlements, [
      (settlement) => settlement.instanceId,
      (settlement) => settlement.claim,
      (settlement) => settlement.type,
      (settlement) => statusAfter(settlement),
      (settlement) => ('wakeAt' in settlement ? settlement.wakeAt : null),
      (settlement) => (settlement.type === 'finish' ? settlement.output : null),
      (settlement) => ('error' in settlement ? settlement.error : null),
    ]),
  ];
}

/** A list per column; null in place of each when there are no rows: the function then leaves that part out. */
function columns<T>(rows: readonly T[], of: readonly ((row: T) => ArrayItem)[]): readonly SqlValue[] {
  return of.map((value) => (rows.length === 0 ? null : arrayLiteral(rows, value)));
}

function byInstanceId<T extends { readonly instanceId: string }>(rows: readonly T[]): readonly T[] {
  if (rows.length < 2) return rows;
  return [...rows].sort((a, b) => (a.instanceId < b.instanceId ? -1 : a.instanceId > b.instanceId ? 1 : 0));
}

function statusAfter(settlement: ProgressBatch['settlements'][number]): string {
  switch (settlement.type) {
    case 'park':
    case 'finish':
      return settlement.status;
    case 'release':
      return 'pending';
    case 'stall':
      return 'stalled';
  }
}
