// The functions in the database that keep the queues of competing topics, and who waits for what comes.
import { createInnerFunction } from './create-function.js';
import { lockKey } from './lock-keys.js';
import { functionName } from './function-settings.js';
import type { TableNames } from './table-names.js';

/*
 * All that touches the queue or the seekers of a topic holds the lock of the topic, to the end of its transaction. Each statement of a function sees
 * what was committed before the statement began, and none that looks at a queue or at seekers begins before the lock is held: of a publisher and a
 * seeker at the same moment, the second one therefore sees what the first one wrote. Were both to look first and lock then, each could miss the other:
 * a message in the queue beside one who waits for it, for ever.
 *
 * So whenever nobody holds the lock, a topic has a queue or seekers, but not both.
 *
 * Locks of topics come before those of rows of instances, and among themselves in the order of their keys: nobody waits in a circle.
 */

/** So many messages of one topic by one statement. */
const handedAtOnce = 100;

/** To be put into a migration. */
export function createQueueFunctions(t: TableNames): string {
  return [lockTopics(t), lockInstances(t), enqueue(t), handTo(t), handOut(t), giveBack(t)].join(';\n');
}

/**
 * Locks the topics among these that have a queue, or may have one: not those whose mode says that they have none. A mode that is there does not change,
 * so it may be read before the lock; that there is none is read again after it, by whoever acts on that.
 *
 * @returns the topics that were locked.
 */
function lockTopics(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'lock_topics_1',
    parameters: 'candidates text[]',
    returns: 'RETURNS text[]',
    body: `
DECLARE
  locked text[];
  key bigint;
BEGIN
  SELECT array_agg(DISTINCT c.topic) INTO locked FROM unnest(candidates) AS c (topic)
  WHERE starts_with(c.topic, 'channel:')
    AND coalesce((SELECT h.mode FROM ${t.channels.text} h WHERE h.topic = c.topic), 'competing') = 'competing';
  FOR key IN SELECT DISTINCT ${lockKey(t, 'topic', 'l.topic')} AS hash FROM unnest(locked) AS l (topic) ORDER BY hash LOOP
    PERFORM pg_advisory_xact_lock(key);
  END LOOP;
  RETURN locked;
END
`,
  });
}

/** Locks all these rows of instances in the order of their ids: the sort comes before the locking. Those that are not there are left out. */
function lockInstances(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'lock_instances_1',
    parameters: 'ids text[]',
    returns: 'RETURNS void',
    body: `
BEGIN
  PERFORM FROM ${t.instances.text} i WHERE i.instance_id = ANY(ids) ORDER BY i.instance_id FOR NO KEY UPDATE;
END
`,
  });
}

function enqueue(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'enqueue_1',
    parameters: 'ids text[], topics text[], contents json[], places integer[], stamp timestamptz',
    returns: 'RETURNS void',
    body: `
BEGIN
  INSERT INTO ${t.queuedMessages.text} (topic, message_id, data, queued_at)
  SELECT topics[p.place], ids[p.place], contents[p.place], stamp FROM unnest(places) AS p (place) ORDER BY p.place;
END
`,
  });
}

/**
 * Gives what is queued on these topics to those who seek it, the oldest to the longest-seeking; behind them come those who begin to seek, `sought` by `sought_by`, in
 * the order of these lists: who gets one at once was never one of the seekers. Rows of all who can get one must be locked.
 * One who seeks has not ended: his end takes the lock of the topic, and his subscription away.
 *
 * @returns lists of what was handed out: its topic, its id, and to whom, a topic's in the order of its queue; null: nothing.
 */
function handOut(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'hand_out_1',
    parameters:
      'topics text[], sought text[], sought_by text[], stamp timestamptz, OUT gone_topics text[], OUT gone_ids text[], OUT gone_to text[]',
    returns: '',
    body: `
DECLARE
  of_topic text;
  seekers text[];
  beginning text[];
  given text[];
BEGIN
  FOREACH of_topic IN ARRAY coalesce(topics, '{}') LOOP
    beginning := CASE WHEN sought IS NULL THEN '{}' ELSE ARRAY(
      SELECT n.instance FROM unnest(sought, sought_by) WITH ORDINALITY AS n (topic, instance, place) WHERE n.topic = of_topic ORDER BY n.place
    ) END;
    LOOP
      seekers := ARRAY(
        SELECT s.instance_id FROM ${t.subscriptions.text} s
        WHERE s.topic = of_topic AND s.seeking_since IS NOT NULL ORDER BY s.seeking_since LIMIT ${handedAtOnce}
      );
      IF seekers <> '{}' THEN
        given := ${functionName(t, 'hand_to_1')}(of_topic, seekers, stamp);
        seekers := seekers[: cardinality(given)];
        -- By the instances, of which each has few: up to version 15 the planner may else go through all of the topic, as long as it knows of few.
        UPDATE ${t.subscriptions.text} s SET seeking_since = NULL WHERE s.instance_id = ANY(seekers) AND s.topic || '' = of_topic;
      ELSE
        seekers := beginning[: ${handedAtOnce}];
        EXIT WHEN seekers = '{}';
        given := ${functionName(t, 'hand_to_1')}(of_topic, seekers, stamp);
        seekers := seekers[: cardinality(given)];
        beginning := beginning[cardinality(given) + 1 :];
      END IF;
      EXIT WHEN given = '{}';
      gone_topics := gone_topics || array_fill(of_topic, ARRAY[cardinality(given)]);
      gone_ids := gone_ids || given;
      gone_to := gone_to || seekers;
    END LOOP;
    IF beginning <> '{}' THEN
      -- Behind all who seek; the lock of the topic makes it a number of its own.
      UPDATE ${t.subscriptions.text} s SET seeking_since = array_position(beginning, s.instance_id) + coalesce((
        SELECT o.seeking_since FROM ${t.subscriptions.text} o
        WHERE o.topic = of_topic AND o.seeking_since IS NOT NULL ORDER BY o.seeking_since DESC LIMIT 1
      ), 0)
      WHERE s.instance_id = ANY(beginning) AND s.topic || '' = of_topic;
    END IF;
  END LOOP;
  IF gone_to IS NOT NULL THEN
    PERFORM ${functionName(t, 'wake_1')}(gone_to, stamp);
  END IF;
END
`,
  });
}

/** Moves the oldest messages of a queue into the mailboxes of these, one each, as many as there are. @returns their ids. */
function handTo(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'hand_to_1',
    parameters: 'of_topic text, seekers text[], stamp timestamptz',
    returns: 'RETURNS text[]',
    body: `
DECLARE
  given text[];
BEGIN
  WITH taken AS (
    DELETE FROM ${t.queuedMessages.text} q WHERE q.topic = of_topic AND q.number = ANY(ARRAY(
      SELECT o.number FROM ${t.queuedMessages.text} o WHERE o.topic = of_topic ORDER BY o.number LIMIT cardinality(seekers)
    ))
    RETURNING q.number, q.message_id, q.data, q.queued_at
  ), pairs AS (
    SELECT seekers[row_number() OVER (ORDER BY n.number)] AS seeker, n.* FROM taken n
  ), mailed AS (
    INSERT INTO ${t.mailbox.text} (instance_id, topic, message_id, data, delivered_at, queue_number, queued_at)
    SELECT p.seeker, of_topic, p.message_id, p.data, stamp, p.number, p.queued_at FROM pairs p ORDER BY p.number
  )
  SELECT array_agg(p.message_id ORDER BY p.number) INTO given FROM pairs p;
  RETURN coalesce(given, '{}');
END
`,
  });
}

/**
 * Puts back into their old places the messages that these instances got from queues (of one topic, or of all) and have not taken. To be handed out again
 * afterwards.
 *
 * @returns their topics.
 */
function giveBack(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'give_back_1',
    parameters: 'holders text[], of_topic text',
    returns: 'RETURNS text[]',
    body: `
DECLARE
  topics text[];
BEGIN
  WITH back AS (
    DELETE FROM ${t.mailbox.text} m
    WHERE m.instance_id = ANY(holders) AND m.queue_number IS NOT NULL AND (of_topic IS NULL OR m.topic = of_topic)
    RETURNING m.topic, m.queue_number, m.message_id, m.data, m.queued_at
  ), put AS (
    INSERT INTO ${t.queuedMessages.text} (topic, number, message_id, data, queued_at) SELECT * FROM back
  )
  SELECT array_agg(DISTINCT b.topic) INTO topics FROM back b;
  RETURN topics;
END
`,
  });
}
