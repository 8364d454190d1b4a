// The function in the database that takes in a message or an event from outside, and its call.
import type { IncomingMessage } from '@romancy/core/ports';
import { createFunction } from './create-function.js';
import { callName, functionName } from './function-settings.js';
import { raw, sql, type Statement } from './sql.js';
import type { TableNames } from './table-names.js';

/*
 * The order of locks is that of commits: the topic, when it has a queue; the identity of the message, which waits for another delivery of the same one, and
 * is nothing that a commit locks; the rows of instances that it starts, in the order of ids; the rows of its receivers, likewise; then mail.
 *
 * Against a park at the same moment: who locks the receiver's row first goes first. A park before leaves a row without owner, which is then made
 * claimable here. A park after finds attention set, and is refused. Neither can look at an old version of the row, since both decide
 * after they have the lock. Two transactions, one that looks for waiting rows and one that writes the mail, would leave a gap there.
 *
 * A message for one instance that is not there is not taken as seen: its mark goes again in the same transaction, and whoever waits for it then sees none.
 */

const name = 'deliver_message_1';

/** To be put into a migration. */
export function createDeliverFunction(t: TableNames): string {
  const call = (inner: string): string => functionName(t, inner);
  return createFunction(t, {
    name,
    parameters: `of_source text, id text, of_topic text, content json, kind text, target text, start_input text, id_ending text,
  OUT outcome text, OUT receivers integer, OUT started json`,
    returns: '',
    body: `
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  topics text[];
  places integer[];
  takers text[];
  is_open boolean;
BEGIN
  receivers := 0;
  IF kind = 'subscribers' THEN
    topics := ${call('lock_topics_1')}(ARRAY[of_topic]);
  END IF;
  INSERT INTO ${t.seenEvents.text} (source, event_id, seen_at) VALUES (of_source, id, stamp) ON CONFLICT (source, event_id) DO NOTHING;
  IF NOT FOUND THEN
    outcome := 'duplicate';
    RETURN;
  END IF;

  IF kind = 'instance' THEN
    SELECT i.finished_at IS NULL INTO is_open FROM ${t.instances.text} i WHERE i.instance_id = target FOR NO KEY UPDATE;
    IF is_open IS NOT TRUE THEN
      DELETE FROM ${t.seenEvents.text} e WHERE e.source = of_source AND e.event_id = id;
      outcome := CASE WHEN is_open IS NULL THEN 'unknown' ELSE 'finished' END;
      RETURN;
    END IF;
  ELSIF kind = 'subscribers' AND id_ending IS NOT NULL THEN
    WITH inserted AS (
      INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, input_checked, start_token, status, wake_at, created_at)
      SELECT e.workflow_name || ':' || id_ending, e.workflow_name, start_input::json, false, 'event ' || gen_random_uuid(), 'pending', stamp, stamp
      FROM ${t.eventStarts.text} e WHERE e.topic = of_topic ORDER BY e.workflow_name
      ON CONFLICT (instance_id) DO NOTHING
      RETURNING instance_id, workflow_name
    )
    SELECT json_agg(json_build_object('instanceId', n.instance_id, 'workflowName', n.workflow_name)) INTO started FROM inserted n;
  END IF;

  SELECT array_agg(p.place), array_agg(p.instance) INTO places, takers FROM (
    SELECT DISTINCT r.place, r.instance
    FROM ${call('receivers_1')}(ARRAY[of_topic], ARRAY[content], ARRAY[kind], ARRAY[target], ARRAY[NULL], ARRAY[NULL]::integer[], ARRAY[true]) r
  ) p;
  outcome := 'delivered';
  IF takers IS NULL THEN
    RETURN;
  END IF;
  IF takers[1] IS NOT NULL THEN
    PERFORM ${call('lock_instances_1')}(takers);
    -- Who unsubscribed or left while another row was waited for gets nothing. From here on nobody can: that takes his row.
    SELECT array_agg(n.place), array_agg(n.instance) INTO places, takers FROM (
      SELECT r.place, r.instance FROM unnest(places, takers) AS r (place, instance)
      INTERSECT
      SELECT r.place, r.instance
      FROM ${call('receivers_1')}(ARRAY[of_topic], ARRAY[content], ARRAY[kind], ARRAY[target], ARRAY[NULL], ARRAY[NULL]::integer[], ARRAY[true]) r
    ) n;
    receivers := ${call('put_mail_1')}(ARRAY[id], ARRAY[of_topic], ARRAY[content], places, takers, stamp);
    RETURN;
  END IF;
  -- One message more: one seeker at most gets it.
  PERFORM ${call('lock_instances_1')}(ARRAY(
    SELECT s.instance_id FROM ${t.subscriptions.text} s
    WHERE s.topic = of_topic AND s.seeking_since IS NOT NULL ORDER BY s.seeking_since LIMIT 1
  ));
  PERFORM ${call('enqueue_1')}(ARRAY[id], ARRAY[of_topic], ARRAY[content], places, stamp);
  receivers := ${call('hand_out_1')}(topics, stamp);
END
`,
  });
}

/** The call of the function, and the name under which sessions keep it parsed. */
export interface DeliverCall {
  readonly name: string;
  /** One row: the outcome, how many got it, and a JSON list of what was started, or null. */
  of(message: IncomingMessage): Statement;
}

export function createDeliverCall(tables: TableNames): DeliverCall {
  const called = raw(functionName(tables, name));
  return {
    name: callName(tables, name),
    of: ({ source, messageId, topic, data, to, starts }) => {
      const target = to.type === 'instance' ? to.instanceId : to.type === 'group' ? to.group : null;
      const start = sql`${starts?.input ?? null}, ${starts?.idEnding ?? null}`;
      return sql`SELECT outcome, receivers, started FROM ${called}(${source}, ${messageId}, ${topic}, ${data}, ${to.type}, ${target}, ${start})`;
    },
  };
}
