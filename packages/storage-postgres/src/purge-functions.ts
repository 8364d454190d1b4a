// The functions in the database by which what nobody needs any more is removed, in short transactions.
import { createFunction } from './create-function.js';
import { lockKey } from './lock-keys.js';
import type { TableNames } from './table-names.js';

/** The names of the functions. */
export const purgeInstancesFunction = 'purge_instances_1';
export const purgeQueuesFunction = 'purge_queues_1';
export const purgeSentFunction = 'purge_sent_1';
export const purgeSeenFunction = 'purge_seen_1';

/** To be put into a migration. */
export function createPurgeFunctions(t: TableNames): string {
  return [purgeInstances(t), purgeQueues(t), purgeSent(t), purgeSeen(t)].join(';\n');
}

/**
 * Ended instances of one status, those that ended first, with their history: the row goes after the last of its history. At most so many rows, so that it may have to be
 * called again for one with a long history; who looks at that one meanwhile sees that the beginning of its history is gone.
 *
 * Earlier parts of such an instance that stay get their history under ids of their own before: it was filed under the id that becomes free, and whoever
 * started under that id would find it there. Moved in slices too; until all of it is moved it is read in both places.
 *
 * Rows that others hold are left out, so two at once do not wait for each other.
 */
function purgeInstances(t: TableNames): string {
  const slice = (id: string, range: string): string => `h.instance_id = ${id} AND h.seq = ANY(ARRAY(
        SELECT o.seq FROM ${t.history.text} o
        WHERE o.instance_id = ${id} AND o.seq > ${range}.history_start AND o.seq <= ${range}.history_end
        ORDER BY o.seq LIMIT most - handled
      ))`;
  return createFunction(t, {
    name: purgeInstancesFunction,
    parameters: 'of_status text, until timestamptz, most integer, OUT removed integer, OUT handled integer, OUT more boolean',
    returns: '',
    body: `
DECLARE
  part record;
  earlier record;
  filed_under text;
  touched integer;
BEGIN
  removed := 0;
  handled := 0;
  more := false;
  FOR part IN
    SELECT i.instance_id, i.history_of, i.generation, i.history_start, coalesce(i.history_end, 2147483647) AS history_end
    FROM ${t.instances.text} i
    WHERE i.status = of_status AND i.finished_at < until AND i.finished_at IS NOT NULL
    ORDER BY i.finished_at LIMIT most FOR UPDATE SKIP LOCKED
  LOOP
    more := true;
    IF part.generation > 0 AND part.history_of IS NULL THEN
      FOR earlier IN
        SELECT e.instance_id, e.history_start, e.history_end FROM ${t.instances.text} e WHERE e.history_of = part.instance_id
        FOR UPDATE SKIP LOCKED
      LOOP
        UPDATE ${t.history.text} h SET instance_id = earlier.instance_id WHERE ${slice('part.instance_id', 'earlier')};
        GET DIAGNOSTICS touched = ROW_COUNT;
        handled := handled + touched;
        EXIT WHEN handled >= most;
        UPDATE ${t.instances.text} e SET history_of = NULL WHERE e.instance_id = earlier.instance_id;
      END LOOP;
      EXIT WHEN handled >= most;
      -- Somebody is purging one of them.
      CONTINUE WHEN (SELECT e.instance_id FROM ${t.instances.text} e WHERE e.history_of = part.instance_id LIMIT 1) IS NOT NULL;
    END IF;
    FOREACH filed_under IN ARRAY ARRAY[part.history_of, part.instance_id] LOOP
      CONTINUE WHEN filed_under IS NULL;
      EXIT WHEN handled >= most;
      DELETE FROM ${t.history.text} h WHERE ${slice('filed_under', 'part')};
      GET DIAGNOSTICS touched = ROW_COUNT;
      handled := handled + touched;
    END LOOP;
    -- There may be more of it, and then its row stays for the next time.
    EXIT WHEN handled >= most;
    DELETE FROM ${t.instances.text} i WHERE i.instance_id = part.instance_id;
    removed := removed + 1;
    handled := handled + 1;
    more := false;
  END LOOP;
  more := more OR handled >= most;
END
`,
  });
}

/**
 * Messages on topics to which nobody is subscribed: those from before a time, and all but the newest; and modes that nobody asked for in two days, of topics
 * with nobody and nothing. A topic whose lock somebody has is left for the next time.
 *
 * Topics with a queue are found one after the other by skipping through its key, so a long queue of a topic that somebody reads costs one look.
 */
function purgeQueues(t: TableNames): string {
  const lock = (name: string): string => `pg_try_advisory_xact_lock(${lockKey(t, 'topic', name)})`;
  const subscriber = (name: string): string =>
    `(SELECT s.instance_id FROM ${t.subscriptions.text} s WHERE s.topic = ${name} LIMIT 1)`;
  const queued = (name: string): string => `(SELECT q.number FROM ${t.queuedMessages.text} q WHERE q.topic = ${name} LIMIT 1)`;
  return createFunction(t, {
    name: purgeQueuesFunction,
    parameters: 'until timestamptz, most_queued bigint, most integer',
    returns: 'RETURNS integer',
    body: `
DECLARE
  of_topic text := '';
  last_kept bigint;
  gone integer;
  removed integer := 0;
BEGIN
  WHILE removed < most LOOP
    SELECT q.topic INTO of_topic FROM ${t.queuedMessages.text} q WHERE q.topic > of_topic ORDER BY q.topic LIMIT 1;
    EXIT WHEN NOT FOUND;
    CONTINUE WHEN ${subscriber('of_topic')} IS NOT NULL;
    last_kept := (SELECT q.number FROM ${t.queuedMessages.text} q WHERE q.topic = of_topic ORDER BY q.number DESC OFFSET most_queued LIMIT 1);
    -- Most have nothing that is to go, and are not locked: locks are held until all of this is over, and the server has room for so many.
    CONTINUE WHEN last_kept IS NULL AND (
      SELECT q.queued_at < until FROM ${t.queuedMessages.text} q WHERE q.topic = of_topic ORDER BY q.number LIMIT 1
    ) IS NOT TRUE;
    CONTINUE WHEN NOT ${lock('of_topic')};
    -- Now that it is locked: somebody may have subscribed just before, for whom this is a backlog.
    CONTINUE WHEN ${subscriber('of_topic')} IS NOT NULL;
    DELETE FROM ${t.queuedMessages.text} q WHERE q.topic = of_topic AND q.number = ANY(ARRAY(
      SELECT o.number FROM (
        SELECT f.number, f.queued_at FROM ${t.queuedMessages.text} f WHERE f.topic = of_topic ORDER BY f.number LIMIT most - removed
      ) o WHERE o.number <= last_kept OR o.queued_at < until
    ));
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
  END LOOP;

  FOR of_topic IN
    SELECT c.topic FROM ${t.channels.text} c WHERE c.used_at < now() - interval '2 days' ORDER BY c.used_at LIMIT most FOR UPDATE SKIP LOCKED
  LOOP
    CONTINUE WHEN NOT ${lock('of_topic')};
    IF ${subscriber('of_topic')} IS NULL AND ${queued('of_topic')} IS NULL THEN
      DELETE FROM ${t.channels.text} c WHERE c.topic = of_topic;
    ELSE
      -- Still in use: not to be looked at again before tomorrow.
      UPDATE ${t.channels.text} c SET used_at = now() - interval '1 day' WHERE c.topic = of_topic;
    END IF;
  END LOOP;
  RETURN removed;
END
`,
  });
}

/** Sent events, those that were sent first. A function for its settings: without statistics, all that are old enough would be read and sorted. */
function purgeSent(t: TableNames): string {
  return purgeOldest(t, purgeSentFunction, {
    table: t.outbox.text,
    oldest: `o.status = 'sent' AND o.ended_at < until ORDER BY o.ended_at`,
  });
}

/** Marks of events that were seen, the oldest first; likewise. */
function purgeSeen(t: TableNames): string {
  return purgeOldest(t, purgeSeenFunction, { table: t.seenEvents.text, oldest: 'o.seen_at < until ORDER BY o.seen_at' });
}

/** By the places of the rows, which do not change any more and are locked: a join could begin with the whole table. */
function purgeOldest(
  t: TableNames,
  name: string,
  { table, oldest }: { readonly table: string; readonly oldest: string },
): string {
  return createFunction(t, {
    name,
    parameters: 'until timestamptz, most integer',
    returns: 'RETURNS integer',
    body: `
DECLARE
  removed integer;
BEGIN
  DELETE FROM ${table} e WHERE e.ctid = ANY(ARRAY(SELECT o.ctid FROM ${table} o WHERE ${oldest} LIMIT most FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
`,
  });
}
