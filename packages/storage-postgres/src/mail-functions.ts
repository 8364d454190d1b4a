// The functions in the database that find the receivers of messages and write their mail.
import { createInnerFunction } from './create-function.js';
import { functionName } from './function-settings.js';
import type { TableNames } from './table-names.js';

/*
 * Messages are handed from function to function as lists, one for each of their columns. What is to become of a message is said by `due`: true, it is sent;
 * false, it is not (its entry was there already); null, that is decided later, by the end of the run that it comes with.
 *
 * Receivers are found first, then their rows are locked, all in one order, then the mail is written: under the lock of its receiver, so that the mail of
 * one instance is numbered in the order in which its senders commit, and none can appear behind one that was read.
 */

/** Longer values of filters are stored as their hash: an index takes no row of more than a third of a page. */
export const longestValue = 400;

/** To be put into a migration. */
export function createMailFunctions(t: TableNames): string {
  return [valueAt(t), receivers(t), putMail(t), wake(t)].join(';\n');
}

/** JSON text of what is at a place, or its hash; null when there is nothing. A text is the name of a member, a number an index: never the other. */
function valueAt(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'value_at_1',
    parameters: 'content json, place json',
    returns: 'RETURNS text',
    body: `
DECLARE
  step json;
  found json := content;
  value text;
BEGIN
  FOR step IN SELECT e.value FROM json_array_elements(place) AS e (value) LOOP
    IF json_typeof(step) = 'number' THEN
      -- A negative index would count from the end.
      found := CASE WHEN json_typeof(found) = 'array' AND step::text ~ '^[0-9]{1,9}$' THEN found -> step::text::integer END;
    ELSE
      found := CASE WHEN json_typeof(found) = 'object' THEN found -> (step #>> '{}') END;
    END IF;
    IF found IS NULL THEN
      RETURN NULL;
    END IF;
  END LOOP;
  value := found::text;
  RETURN CASE WHEN octet_length(value) <= ${longestValue} THEN value
    ELSE 'sha256:' || encode(sha256(convert_to(value, 'UTF8')), 'hex') END;
END
`,
  });
}

/**
 * Pairs of a message's place in the lists and an instance; several times the same pair for one that is subscribed several times. Without an instance: the message
 * belongs into the queue of its topic. Only what was read under the lock of the topic says that (see queue-functions.ts).
 */
function receivers(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'receivers_1',
    parameters:
      'topics text[], contents json[], kinds text[], targets text[], senders text[], sender_seqs integer[], due boolean[], locked text[]',
    returns: 'RETURNS TABLE (place integer, instance text)',
    body: `
DECLARE
  topic_mode text;
  used_path text;
  there text;
BEGIN
  FOR nth IN 1 .. coalesce(cardinality(topics), 0) LOOP
    place := nth;
    CONTINUE WHEN NOT due[place];
    IF kinds[place] IN ('instance', 'parent') THEN
      instance := targets[place];
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF kinds[place] = 'group' THEN
      RETURN QUERY SELECT place, g.instance_id FROM ${t.groupMembers.text} g WHERE g.group_name = targets[place];
      CONTINUE;
    END IF;
    topic_mode := NULL;
    IF starts_with(topics[place], 'channel:') THEN
      SELECT c.mode INTO topic_mode FROM ${t.channels.text} c WHERE c.topic = topics[place];
      CONTINUE WHEN topic_mode = 'direct';
      IF topic_mode IS NULL OR topic_mode = 'competing' THEN
        -- It had a mode without a queue when topics were locked, and that was forgotten since, for nobody was subscribed: this came before.
        CONTINUE WHEN (topics[place] = ANY(locked)) IS NOT TRUE;
        instance := NULL;
        RETURN NEXT;
        CONTINUE;
      END IF;
    END IF;
    -- What an instance publishes by an earlier entry than that with which it subscribed is not for itself, though both may come at once.
    RETURN QUERY SELECT place, s.instance_id FROM ${t.subscriptions.text} s
      WHERE s.topic = topics[place] AND s.path = '' AND s.value = ''
        AND (s.instance_id = senders[place] AND s.seq >= sender_seqs[place]) IS NOT TRUE;
    -- The places that filters of this topic look at are few: from each the next one is one look into the index, and who waits for
    -- what is there is another. Of ten thousand that wait for an event, each for its own order, one row is read.
    used_path := '';
    LOOP
      SELECT s.path INTO used_path FROM ${t.subscriptions.text} s
      WHERE s.topic = topics[place] AND s.path > used_path ORDER BY s.path LIMIT 1;
      EXIT WHEN NOT FOUND;
      there := ${functionName(t, 'value_at_1')}(contents[place], used_path::json);
      CONTINUE WHEN there IS NULL;
      RETURN QUERY SELECT place, s.instance_id FROM ${t.subscriptions.text} s
        WHERE s.topic = topics[place] AND s.path = used_path AND s.value = there
          AND (s.instance_id = senders[place] AND s.seq >= sender_seqs[place]) IS NOT TRUE;
    END LOOP;
  END LOOP;
END
`,
  });
}

/** Writes the mail of those receivers that go on, and wakes them. Their rows must be locked. @returns the place of the message for each that got one. */
function putMail(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'put_mail_1',
    parameters: 'ids text[], topics text[], contents json[], places integer[], receivers text[], stamp timestamptz',
    returns: 'RETURNS integer[]',
    body: `
DECLARE
  sent integer[];
  mailed text[];
BEGIN
  SELECT array_agg(r.place), array_agg(r.instance) INTO sent, mailed FROM unnest(places, receivers) AS r (place, instance)
  WHERE (SELECT i.finished_at IS NULL FROM ${t.instances.text} i WHERE i.instance_id = r.instance);
  IF sent IS NULL THEN
    RETURN '{}';
  END IF;
  INSERT INTO ${t.mailbox.text} (instance_id, topic, message_id, data, delivered_at)
  SELECT r.instance, topics[r.place], ids[r.place], contents[r.place], stamp
  FROM unnest(sent, mailed) AS r (place, instance) ORDER BY r.place;
  PERFORM ${functionName(t, 'wake_1')}(mailed, stamp);
  RETURN sent;
END
`,
  });
}

/** Makes somebody look at instances: their owner by their attention, or anybody by a claim. Their rows must be locked, and none has ended. */
function wake(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'wake_1',
    parameters: 'woken text[], stamp timestamptz',
    returns: 'RETURNS void',
    body: `
BEGIN
  UPDATE ${t.instances.text} i
  SET version = i.version + 1, attention = i.owner IS NOT NULL,
    wake_at = CASE WHEN i.owner IS NULL THEN least(i.wake_at, stamp) END
  WHERE i.instance_id = ANY(woken);
END
`,
  });
}
