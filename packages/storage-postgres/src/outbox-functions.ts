// The functions in the database by which relayers take events of the outbox, and say what became of them.
import { createFunction, createInnerFunction } from './create-function.js';
import { functionName } from './function-settings.js';
import { lockKey } from './lock-keys.js';
import type { TableNames } from './table-names.js';

/*
 * Which event of a stream is the first unsent one is said by an index on the unsent ones; which events may be first, and are due, by another.
 *
 * Two relayers at once: each takes the lock of a stream, which is not waited for, and then looks at the stream anew, by a statement that begins when it has the lock:
 * what another relayer took before is `sending` there, and the stream is left alone. Without that lock, both could look before either writes,
 * find different first events (an earlier one was requeued in between), and have events of one stream at the same time.
 *
 * Events are ended (sent, given up, purged) under the lock of their stream against those who write into it, see event-functions.ts.
 */

/** The names of the functions. */
export const claimEventsFunction = 'claim_events_1';
export const settleEventsFunction = 'settle_events_1';
export const purgeEventsFunction = 'purge_events_1';
export const requeueEventsFunction = 'requeue_events_1';

const unsent = `o.status IN ('pending', 'sending')`;

/** To be put into a migration. */
export function createOutboxFunctions(t: TableNames): string {
  return [claimEvents(t), lockStreams(t), markFirst(t), settleEvents(t), purgeEvents(t), requeueEvents(t)].join(';\n');
}

/**
 * When the next event that nobody has is due, among those that are the first of their stream, of which nobody has any: an expression.
 */
export function outboxDueAt(t: TableNames): string {
  return `(SELECT e.due_at FROM ${t.outbox.text} e WHERE e.status = 'pending' AND e.may_lead AND ${leads(t)} ORDER BY e.due_at, e.number LIMIT 1)`;
}

/** Whether event `e` is the first unsent one of its stream, and nobody has any of it. By look-ups that no plan can turn into reading all of the table. */
function leads(t: TableNames): string {
  return `(SELECT o.number FROM ${t.outbox.text} o WHERE o.stream = e.stream AND ${unsent} ORDER BY o.number LIMIT 1) = e.number
      AND (SELECT o.number FROM ${t.outbox.text} o WHERE o.stream = e.stream AND o.status = 'sending' LIMIT 1) IS NULL`;
}

/**
 * Of each stream that it can get the first event, and then, as long as there is room, what follows it and is due. Nothing is locked, and nothing written,
 * when nothing is due.
 */
function claimEvents(t: TableNames): string {
  return createFunction(t, {
    name: claimEventsFunction,
    parameters: 'worker text, room integer',
    returns:
      'RETURNS TABLE (event_number bigint, id text, of_stream text, event_type text, event_source text, content json, attempt integer, ' +
      'failing_since timestamptz, alive boolean, next_due_at timestamptz)',
    body: `
DECLARE
  head record;
  streams text[] := '{}';
BEGIN
  alive := (SELECT w.worker_id FROM ${t.workers.text} w WHERE w.worker_id = worker) IS NOT NULL;
  FOR head IN
    SELECT e.stream FROM ${t.outbox.text} e WHERE e.status = 'pending' AND e.may_lead AND e.due_at <= now() AND ${leads(t)}
    ORDER BY e.due_at, e.number LIMIT room
  LOOP
    IF pg_try_advisory_xact_lock(${lockKey(t, 'relay', 'head.stream')}) THEN
      streams := streams || head.stream;
    END IF;
  END LOOP;
  IF alive AND streams <> '{}' THEN
    -- The fence. Nobody waits for those locks, so nobody waits for who waits here.
    PERFORM FROM ${t.workers.text} w WHERE w.worker_id = worker FOR KEY SHARE;
    alive := FOUND;
  END IF;
  IF alive AND streams <> '{}' THEN
    RETURN QUERY
      UPDATE ${t.outbox.text} e SET status = 'sending', owner = worker
      WHERE e.status = 'pending' AND e.number = ANY(ARRAY(
        SELECT f.number FROM unnest(streams) WITH ORDINALITY AS s (stream, place) CROSS JOIN LATERAL (
          SELECT n.number, n.rank, bool_and(n.is_free) OVER (ORDER BY n.number) AS can_go FROM (
            SELECT o.number, row_number() OVER (ORDER BY o.number) AS rank, o.status = 'pending' AND o.due_at <= now() AS is_free
            FROM ${t.outbox.text} o WHERE o.stream = s.stream AND ${unsent} ORDER BY o.number LIMIT room - cardinality(streams) + 1
          ) n
        ) f
        WHERE f.can_go AND (SELECT o.number FROM ${t.outbox.text} o WHERE o.stream = s.stream AND o.status = 'sending' LIMIT 1) IS NULL
        ORDER BY f.rank > 1, s.place, f.rank LIMIT room
      ))
      RETURNING e.number, e.event_id, e.stream, e.type, e.source, e.data, e.attempts, e.failed_since, true, NULL::timestamptz;
  END IF;
  -- The last row tells of the rest.
  event_number := NULL;
  next_due_at := ${outboxDueAt(t)};
  RETURN NEXT;
END
`,
  });
}

/** Against those who write into these streams, and each other. */
function lockStreams(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'lock_streams_1',
    parameters: 'streams text[]',
    returns: 'RETURNS void',
    body: `
DECLARE
  key bigint;
BEGIN
  FOR key IN SELECT DISTINCT ${lockKey(t, 'stream', 's.stream')} AS hash FROM unnest(streams) AS s (stream) ORDER BY hash LOOP
    PERFORM pg_advisory_xact_lock(key);
  END LOOP;
END
`,
  });
}

/** Marks the first unsent events of these streams, after what was before them has ended. */
function markFirst(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'mark_first_1',
    parameters: 'streams text[]',
    returns: 'RETURNS void',
    body: `
BEGIN
  UPDATE ${t.outbox.text} e SET may_lead = true
  WHERE NOT e.may_lead AND e.number = ANY(ARRAY(
    SELECT (SELECT o.number FROM ${t.outbox.text} o WHERE o.stream = s.stream AND ${unsent} ORDER BY o.number LIMIT 1)
    FROM unnest(streams) AS s (stream)
  ));
END
`,
  });
}

/** What this worker does not have, or not any more, is left alone. */
function settleEvents(t: TableNames): string {
  return createFunction(t, {
    name: settleEventsFunction,
    parameters: 'worker text, ids text[], results text[], dues float8[], errors text[], OUT alive boolean, OUT clock bigint',
    returns: '',
    body: `
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  streams text[];
BEGIN
  PERFORM FROM ${t.workers.text} w WHERE w.worker_id = worker FOR KEY SHARE;
  alive := FOUND;
  clock := floor(extract(epoch FROM clock_timestamp()) * 1000);
  IF NOT alive THEN
    RETURN;
  END IF;
  SELECT array_agg(DISTINCT e.stream) INTO streams FROM ${t.outbox.text} e WHERE e.event_id = ANY(ids) AND (e.owner = worker) IS TRUE;
  IF streams IS NULL THEN
    RETURN;
  END IF;
  PERFORM ${functionName(t, 'lock_streams_1')}(streams);
  -- What follows an event that is tried again is handed back with it, and must not seem to be due; the first is marked again below.
  UPDATE ${t.outbox.text} e
  SET owner = NULL, status = CASE WHEN r.result IN ('retry', 'release') THEN 'pending' ELSE r.result END,
    may_lead = r.result = 'retry',
    attempts = e.attempts + (r.result <> 'release')::integer,
    due_at = CASE WHEN r.result = 'retry' THEN to_timestamp(r.due / 1000) ELSE e.due_at END,
    failed_since = CASE WHEN r.result IN ('sent', 'release') THEN e.failed_since ELSE coalesce(e.failed_since, stamp) END,
    error = CASE r.result WHEN 'release' THEN e.error WHEN 'sent' THEN NULL ELSE r.error::json END,
    ended_at = CASE WHEN r.result IN ('sent', 'failed', 'invalid') THEN stamp END
  FROM unnest(ids, results, dues, errors) AS r (id, result, due, error)
  WHERE e.event_id = ANY(ARRAY[r.id]) AND (e.owner = worker) IS TRUE AND e.status = 'sending';
  PERFORM ${functionName(t, 'mark_first_1')}(streams);
END
`,
  });
}

/** Removes events with these numbers, unless somebody has them by now. @returns how many went. */
function purgeEvents(t: TableNames): string {
  return createFunction(t, {
    name: purgeEventsFunction,
    parameters: 'numbers bigint[]',
    returns: 'RETURNS bigint',
    body: `
DECLARE
  streams text[];
  gone bigint;
BEGIN
  -- Also of those that were given up: they may be requeued at this moment.
  SELECT array_agg(DISTINCT e.stream) INTO streams FROM ${t.outbox.text} e WHERE e.number = ANY(numbers) AND e.status <> 'sent';
  IF streams IS NOT NULL THEN
    PERFORM ${functionName(t, 'lock_streams_1')}(streams);
  END IF;
  WITH deleted AS (
    DELETE FROM ${t.outbox.text} e WHERE e.number = ANY(ARRAY(
      SELECT d.number FROM ${t.outbox.text} d WHERE d.number = ANY(numbers) AND d.status <> 'sending' FOR UPDATE SKIP LOCKED
    )) RETURNING e.number
  )
  SELECT count(*) INTO gone FROM deleted;
  IF streams IS NOT NULL THEN
    PERFORM ${functionName(t, 'mark_first_1')}(streams);
  END IF;
  RETURN gone;
END
`,
  });
}

/**
 * Makes events with these numbers that were given up pending again, unless somebody has them. In their old places: of each stream the one that is first from now on
 * is marked, and who took the first before goes on with it.
 *
 * @returns the ids of those that were.
 */
function requeueEvents(t: TableNames): string {
  return createFunction(t, {
    name: requeueEventsFunction,
    parameters: 'numbers bigint[]',
    returns: 'RETURNS text[]',
    body: `
DECLARE
  streams text[];
  back text[];
BEGIN
  SELECT array_agg(DISTINCT e.stream) INTO streams FROM ${t.outbox.text} e WHERE e.number = ANY(numbers);
  PERFORM ${functionName(t, 'lock_streams_1')}(streams);
  WITH pending AS (
    UPDATE ${t.outbox.text} e
    SET status = 'pending', may_lead = false, due_at = date_trunc('milliseconds', now()), attempts = 0, failed_since = NULL, error = NULL, ended_at = NULL
    WHERE e.number = ANY(ARRAY(
      SELECT o.number FROM ${t.outbox.text} o WHERE o.number = ANY(numbers) AND o.status IN ('failed', 'invalid') ORDER BY o.number FOR UPDATE SKIP LOCKED
    ))
    RETURNING e.number, e.event_id
  )
  SELECT array_agg(p.event_id ORDER BY p.number) INTO back FROM pending p;
  PERFORM ${functionName(t, 'mark_first_1')}(streams);
  RETURN back;
END
`,
  });
}
