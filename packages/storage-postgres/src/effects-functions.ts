// The functions in the database that carry out what entries bring about beyond their instance.
import { createInnerFunction } from './create-function.js';
import { functionName } from './function-settings.js';
import type { TableNames } from './table-names.js';

/*
 * For a commit that has more to do than write entries and settle, after its entries. `written` holds the entries that it really inserted, as
 * `<seq> <instance>`: an effect takes place with its entry, so in a repeated commit none does. (One without such a gate belongs to an entry that
 * the caller has inserted himself in this transaction.)
 *
 * `moves` is what is neither a message nor an event, as JSON: type, gate, instance, what it is about, and a reason.
 */

/** To be put into a migration. */
export function createEffectsFunctions(t: TableNames): string {
  return [dueMessages(t), prepare(t), sendMessages(t), applyMoves(t), cancelInstances(t)].join(';\n');
}

const gated = '(m.gate IS NULL OR written ? m.gate)';

/** Nothing is left with an instance that is not this worker's: it may have ended. */
function owned(t: TableNames): string {
  return `(SELECT i.owner FROM ${t.instances.text} i WHERE i.instance_id = m.instance) = worker`;
}

/**
 * Which of the messages are sent: by an entry that was inserted just now, or for a start that was refused, unless its parent was told before. With the
 * end of a run: null, not known yet.
 */
function dueMessages(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'due_messages_1',
    parameters:
      'gates text[], senders text[], sender_seqs integer[], ids text[], targets text[], written jsonb, conflicting text[]',
    returns: 'RETURNS boolean[]',
    body: `
DECLARE
  due boolean[];
BEGIN
  SELECT array_agg(CASE m.gate
    WHEN 'entry' THEN coalesce(written ? (m.seq || ' ' || m.sender), false)
    WHEN 'start' THEN coalesce(m.sender = ANY(conflicting), false) AND (
      SELECT b.mail_id FROM ${t.mailbox.text} b WHERE b.instance_id = m.target AND b.message_id = m.id LIMIT 1) IS NULL
    WHEN 'end' THEN NULL
    ELSE true END ORDER BY m.place) INTO due
  FROM unnest(gates, senders, sender_seqs, ids, targets) WITH ORDINALITY AS m (gate, sender, seq, id, target, place);
  RETURN due;
END
`,
  });
}

/**
 * Joins groups, with the starts and subscriptions of the commit; finds the receivers of its messages; and locks all rows of instances that it is going to
 * change, once and in one order: also those that it settles, and everybody who can get something from a queue. The latter are, besides those who begin to seek, one
 * more of the topic's longest-seeking for each message that comes or may come back to its queue, and for each of its seekers that may stop to be one. Where none of
 * that happens, as where runs only begin to seek, whoever seeks already has seen an empty queue, and gets nothing. From there on the transaction locks no other row of an instance.
 */
function prepare(t: TableNames): string {
  const call = (name: string): string => functionName(t, name);
  return createInnerFunction(t, {
    name: 'prepare_effects_1',
    parameters: `worker text, written jsonb, topics text[], settled text[], leaving text[], message_topics text[], contents json[], kinds text[],
  targets text[], senders text[], sender_seqs integer[], due boolean[], moves json, move_types text[], OUT places integer[], OUT receivers text[]`,
    returns: '',
    body: `
DECLARE
  leavers text[];
  moving text[];
BEGIN
  IF 'join' = ANY(move_types) THEN
    INSERT INTO ${t.groupMembers.text} (group_name, instance_id)
    SELECT m.about, m.instance FROM json_to_recordset(moves) AS m (type text, gate text, instance text, about text)
    WHERE m.type = 'join' AND ${gated} AND ${owned(t)}
    ON CONFLICT (group_name, instance_id) DO NOTHING;
  END IF;

  SELECT array_agg(p.place), array_agg(p.instance) INTO places, receivers FROM (
    SELECT DISTINCT r.place, r.instance
    FROM ${call('receivers_1')}(message_topics, contents, kinds, targets, senders, sender_seqs, due, topics) r
  ) p;

  IF topics IS NOT NULL THEN
    -- Messages that come to a queue, that may come back to one, and those among the seekers who may not be any more.
    leavers := leaving;
    IF move_types && ARRAY['unseek', 'unsubscribe'] THEN
      SELECT leaving || array_agg(m.instance) INTO leavers
      FROM json_to_recordset(moves) AS m (type text, instance text) WHERE m.type IN ('unseek', 'unsubscribe');
    END IF;
    SELECT array_agg(message_topics[p.place]) INTO moving FROM unnest(array_positions(receivers, NULL)) AS n (nth)
    CROSS JOIN LATERAL (SELECT places[n.nth] AS place) p;
    IF leavers IS NOT NULL THEN
      SELECT moving || array_agg(b.topic) INTO moving
      FROM ${t.mailbox.text} b WHERE b.queue_number IS NOT NULL AND b.instance_id = ANY(leavers);
      -- Not in the condition: the index of all who seek would look cheapest as long as the planner knows of few.
      SELECT moving || array_agg(s.topic) FILTER (WHERE s.seeking_since IS NOT NULL) INTO moving
      FROM ${t.subscriptions.text} s WHERE s.instance_id = ANY(leavers);
    END IF;
  END IF;
  PERFORM ${call('lock_instances_1')}(ARRAY(
    SELECT unnest(settled)
    UNION SELECT unnest(leaving)
    UNION SELECT unnest(receivers)
    UNION SELECT CASE WHEN m.type LIKE 'cancel%' THEN m.about ELSE m.instance END
      FROM json_to_recordset(moves) AS m (type text, instance text, about text)
    UNION SELECT s.instance_id FROM (
      SELECT v.topic, count(*) AS most FROM unnest(moving) AS v (topic) WHERE v.topic = ANY(topics) GROUP BY v.topic
    ) l CROSS JOIN LATERAL (
      SELECT b.instance_id FROM ${t.subscriptions.text} b
      WHERE b.topic = l.topic AND b.seeking_since IS NOT NULL ORDER BY b.seeking_since LIMIT l.most
    ) s
  ));
  -- Who unsubscribed or left while another row was waited for gets nothing. From here on nobody can: that takes his row.
  IF receivers IS NOT NULL THEN
    SELECT array_agg(n.place), array_agg(n.instance) INTO places, receivers FROM (
      SELECT r.place, r.instance FROM unnest(places, receivers) AS r (place, instance)
      INTERSECT
      SELECT r.place, r.instance
      FROM ${call('receivers_1')}(message_topics, contents, kinds, targets, senders, sender_seqs, due, topics) r
    ) n;
  END IF;
END
`,
  });
}

/** Sends those messages that are due. @returns a list of those for one instance that does not go on; null: there are none. */
function sendMessages(t: TableNames): string {
  const call = (name: string): string => functionName(t, name);
  return createInnerFunction(t, {
    name: 'send_messages_1',
    parameters:
      'ids text[], topics text[], contents json[], kinds text[], due boolean[], places integer[], receivers text[], stamp timestamptz',
    returns: 'RETURNS json',
    body: `
DECLARE
  mail_places integer[];
  mail_receivers text[];
  queue_places integer[];
  undelivered json;
BEGIN
  SELECT array_agg(r.place) FILTER (WHERE r.instance IS NOT NULL), array_agg(r.instance) FILTER (WHERE r.instance IS NOT NULL),
    array_agg(r.place) FILTER (WHERE r.instance IS NULL)
  INTO mail_places, mail_receivers, queue_places
  FROM unnest(places, receivers) AS r (place, instance) WHERE due[r.place];
  IF queue_places IS NOT NULL THEN
    PERFORM ${call('enqueue_1')}(ids, topics, contents, queue_places, stamp);
  END IF;
  IF mail_places IS NULL
    OR cardinality(${call('put_mail_1')}(ids, topics, contents, mail_places, mail_receivers, stamp)) = cardinality(mail_places) THEN
    RETURN NULL;
  END IF;
  SELECT json_agg(json_build_object('messageId', ids[r.place], 'instanceId', r.instance)) INTO undelivered
  FROM unnest(mail_places, mail_receivers) AS r (place, instance)
  WHERE kinds[r.place] = 'instance'
    AND (SELECT i.finished_at IS NULL FROM ${t.instances.text} i WHERE i.instance_id = r.instance) IS NOT TRUE;
  RETURN undelivered;
END
`,
  });
}

/** All but joins, in the order in which effects take place. What comes back to a queue by an end of a subscription is handed out at once. */
function applyMoves(t: TableNames): string {
  const call = (name: string): string => functionName(t, name);
  const subscriptionsOf = `${t.subscriptions.text} s`;
  return createInnerFunction(t, {
    name: 'apply_moves_1',
    parameters:
      'worker text, written jsonb, topics text[], moves json, move_types text[], stamp timestamptz, OUT handed_topics text[], OUT handed_ids text[], OUT handed_to text[]',
    returns: '',
    body: `
DECLARE
  move record;
  returned text[];
  sought text[];
  sought_by text[];
  cancelled text[];
  reasons text[];
  parents text[];
BEGIN
  IF 'unseek' = ANY(move_types) THEN
    FOR move IN
      SELECT m.instance, m.about FROM json_to_recordset(moves) AS m (type text, gate text, instance text, about text)
      WHERE m.type = 'unseek' AND ${gated} AND ${owned(t)}
    LOOP
      UPDATE ${subscriptionsOf} SET seeking_since = NULL WHERE s.instance_id = move.instance AND s.topic = move.about;
      PERFORM ${call('give_back_1')}(ARRAY[move.instance], move.about);
    END LOOP;
  END IF;
  -- Who seeks already keeps his place.
  SELECT array_agg(n.about ORDER BY n.place), array_agg(n.instance ORDER BY n.place) INTO sought, sought_by FROM (
    SELECT m.about, m.instance, min(m.place) AS place
    FROM ROWS FROM (json_to_recordset(moves) AS (type text, gate text, instance text, about text)) WITH ORDINALITY
      AS m (type, gate, instance, about, place)
    WHERE m.type = 'seek' AND ${gated} AND ${owned(t)} AND (
      SELECT s.mode = 'competing' AND s.seeking_since IS NULL FROM ${subscriptionsOf} WHERE s.instance_id = m.instance AND s.topic = m.about LIMIT 1
    )
    GROUP BY m.about, m.instance
  ) n;
  SELECT h.* INTO handed_topics, handed_ids, handed_to FROM ${call('hand_out_1')}(topics, sought, sought_by, stamp) h;
  IF move_types IS NULL OR move_types <@ ARRAY['seek', 'unseek', 'join'] THEN
    RETURN;
  END IF;

  FOR move IN
    SELECT m.type, m.instance, m.about FROM json_to_recordset(moves) AS m (type text, gate text, instance text, about text)
    WHERE m.type IN ('leave', 'unsubscribe') AND ${gated} AND ${owned(t)}
  LOOP
    IF move.type = 'leave' THEN
      DELETE FROM ${t.groupMembers.text} g WHERE g.group_name = move.about AND g.instance_id = move.instance;
    ELSE
      returned := returned || ${call('give_back_1')}(ARRAY[move.instance], move.about);
      DELETE FROM ${subscriptionsOf} WHERE s.instance_id = move.instance AND s.topic = move.about;
      DELETE FROM ${t.mailbox.text} b WHERE b.instance_id = move.instance AND b.topic = move.about;
    END IF;
  END LOOP;
  IF returned IS NOT NULL THEN
    SELECT handed_topics || h.gone_topics, handed_ids || h.gone_ids, handed_to || h.gone_to INTO handed_topics, handed_ids, handed_to
    FROM ${call('hand_out_1')}(returned, NULL, NULL, stamp) h;
  END IF;

  SELECT array_agg(m.about), array_agg(m.reason), array_agg(m.parent) INTO cancelled, reasons, parents
  FROM json_to_recordset(moves) AS m (type text, gate text, about text, reason text, parent text) WHERE m.type = 'cancel' AND ${gated};
  IF cancelled IS NOT NULL THEN
    PERFORM ${call('cancel_instances_1')}(cancelled, reasons, parents, stamp);
  END IF;
  UPDATE ${t.instances.text} i SET compensating = true, status = 'compensating', version = i.version + 1
  WHERE i.instance_id = ANY(ARRAY(
    SELECT m.instance FROM json_to_recordset(moves) AS m (type text, gate text, instance text) WHERE m.type = 'compensating' AND ${gated}
  )) AND (i.owner = worker) IS TRUE;
END
`,
  });
}

/**
 * Asks for the end of instances whose rows are locked. Of those that have ended, were asked before, or are not children of whom they should be, nothing
 * changes.
 */
function cancelInstances(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'cancel_instances_1',
    parameters: 'ids text[], reasons text[], parents text[], stamp timestamptz',
    returns: 'RETURNS void',
    body: `
BEGIN
  UPDATE ${t.instances.text} i
  SET cancel_requested_at = stamp, cancel_reason = c.reason, version = i.version + 1, attention = i.owner IS NOT NULL,
    wake_at = CASE WHEN i.owner IS NULL THEN least(i.wake_at, stamp) END
  FROM unnest(ids, reasons, parents) AS c (id, reason, parent)
  WHERE i.instance_id = ANY(ARRAY[c.id]) AND (c.parent IS NULL OR i.parent_id = c.parent) AND i.finished_at IS NULL AND i.cancel_requested_at IS NULL;
END
`,
  });
}
