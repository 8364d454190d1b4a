// The function in the database that takes in messages and events from outside, and its call.
import type { IncomingMessage } from '@romancy/core/ports';
import { arrayLiteral } from './array-literal.js';
import { createFunction } from './create-function.js';
import { callName, functionName } from './function-settings.js';
import { raw, sql, type Statement } from './sql.js';
import type { TableNames } from './table-names.js';

/*
 * As many as came together, in one transaction: most of what one costs is the commit, and those to one queue hold its lock until then.
 *
 * The order of locks is that of commits: the identities of the messages, in their order, which wait for another delivery of the same
 * ones, and are nothing that a commit locks; the topics that have a queue, for no longer than need be; the rows of instances that they start, in the order of ids; the rows of their receivers, likewise; then mail.
 *
 * Against a park at the same moment: who locks the receiver's row first goes first. A park before leaves a row without owner, which is then made
 * claimable here. A park after finds attention set, and is refused. Neither can look at an old version of the row, since both decide
 * after they have the lock. Two transactions, one that looks for waiting rows and one that writes the mail, would leave a gap there.
 *
 * A message for one instance that is not there is not taken as seen: its mark goes again in the same transaction, and whoever waits for it then sees none.
 */

const name = 'deliver_messages_1';

/** To be put into a migration. */
export function createDeliverFunction(t: TableNames): string {
  const call = (inner: string): string => functionName(t, inner);
  const found = `${call('receivers_1')}(topics, contents, kinds, targets, NULL, NULL, due, locked) r`;
  return createFunction(t, {
    name,
    parameters: `sources text[], ids text[], topics text[], contents json[], kinds text[], targets text[], start_inputs text[], id_endings text[],
  OUT outcomes text[], OUT counts integer[], OUT started json`,
    returns: '',
    body: `
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  locked text[];
  due boolean[];
  places integer[];
  takers text[];
  queued integer[];
  handed text[];
  place integer;
  nth integer;
BEGIN
  WITH marked AS (
    INSERT INTO ${t.seenEvents.text} (source, event_id, seen_at)
    SELECT m.source, m.id, stamp FROM unnest(sources, ids) AS m (source, id) ORDER BY m.source COLLATE "C", m.id COLLATE "C"
    ON CONFLICT (source, event_id) DO NOTHING
    RETURNING source, event_id
  )
  SELECT array_agg((m.source, m.id) IN (SELECT k.source, k.event_id FROM marked k) ORDER BY m.place) INTO due
  FROM unnest(sources, ids) WITH ORDINALITY AS m (source, id, place);
  IF 'subscribers' = ANY(kinds) THEN
    locked := ${call('lock_topics_1')}(ARRAY(SELECT m.topic FROM unnest(topics, kinds) AS m (topic, kind) WHERE m.kind = 'subscribers'));
  END IF;
  outcomes := ARRAY(SELECT CASE WHEN d.due THEN 'delivered' ELSE 'duplicate' END FROM unnest(due) WITH ORDINALITY AS d (due, place) ORDER BY d.place);
  counts := array_fill(0, ARRAY[cardinality(ids)]);

  IF id_endings IS NOT NULL THEN
    WITH candidates AS MATERIALIZED (
      SELECT DISTINCT ON (id) e.workflow_name, (e.workflow_name || ':' || m.id_ending) COLLATE "C" AS id, m.place, m.start_input
      FROM unnest(topics, kinds, start_inputs, id_endings, due) WITH ORDINALITY AS m (topic, kind, start_input, id_ending, due, place)
      JOIN ${t.eventStarts.text} e ON e.topic = ANY(ARRAY[m.topic])
      WHERE m.kind = 'subscribers' AND m.id_ending IS NOT NULL AND m.due
      ORDER BY id, m.place
    ), inserted AS (
      INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, input_checked, start_token, status, wake_at, created_at)
      SELECT c.id, c.workflow_name, c.start_input::json, false, 'event ' || gen_random_uuid(), 'pending', stamp, stamp
      FROM candidates c ORDER BY c.id
      ON CONFLICT (instance_id) DO NOTHING
      RETURNING instance_id
    )
    SELECT json_agg(json_build_object('place', c.place, 'instanceId', c.id, 'workflowName', c.workflow_name) ORDER BY c.place, c.workflow_name)
    INTO started FROM candidates c WHERE c.id IN (SELECT n.instance_id FROM inserted n);
  END IF;

  SELECT array_agg(p.place) FILTER (WHERE p.instance IS NOT NULL), array_agg(p.instance) FILTER (WHERE p.instance IS NOT NULL),
    array_agg(p.place ORDER BY p.place) FILTER (WHERE p.instance IS NULL)
  INTO places, takers, queued FROM (SELECT DISTINCT r.place, r.instance FROM ${found}) p;
  -- Of those who seek only so many can get one as there are messages more.
  PERFORM ${call('lock_instances_1')}(takers || ARRAY(
    SELECT s.instance_id FROM (
      SELECT topics[p.place] AS topic, count(*) AS most FROM unnest(queued) AS p (place) GROUP BY 1
    ) q CROSS JOIN LATERAL (
      SELECT b.instance_id FROM ${t.subscriptions.text} b
      WHERE b.topic = q.topic AND b.seeking_since IS NOT NULL ORDER BY b.seeking_since LIMIT q.most
    ) s
  ));

  IF takers IS NOT NULL THEN
    -- Who unsubscribed or left while another row was waited for gets nothing. From here on nobody can: that takes his row.
    SELECT array_agg(n.place), array_agg(n.instance) INTO places, takers FROM (
      SELECT r.place, r.instance FROM unnest(places, takers) AS r (place, instance)
      INTERSECT
      SELECT r.place, r.instance FROM ${found}
    ) n;
    FOREACH place IN ARRAY ${call('put_mail_1')}(ids, topics, contents, places, takers, stamp) LOOP
      counts[place] := counts[place] + 1;
    END LOOP;
    FOR place IN SELECT k.place FROM unnest(kinds) WITH ORDINALITY AS k (kind, place) WHERE k.kind = 'instance' LOOP
      CONTINUE WHEN NOT due[place] OR counts[place] > 0;
      outcomes[place] := CASE WHEN (SELECT i.instance_id FROM ${t.instances.text} i WHERE i.instance_id = targets[place]) IS NULL
        THEN 'unknown' ELSE 'finished' END;
      DELETE FROM ${t.seenEvents.text} e WHERE e.source = sources[place] AND e.event_id = ids[place];
    END LOOP;
  END IF;
  IF queued IS NOT NULL THEN
    PERFORM ${call('enqueue_1')}(ids, topics, contents, queued, stamp);
    -- Where somebody seeks nothing is queued: those that came first are those that were handed out.
    SELECT h.gone_topics INTO handed FROM ${call('hand_out_1')}(locked, NULL, NULL, stamp) h;
    FOREACH place IN ARRAY queued LOOP
      nth := array_position(handed, topics[place]);
      EXIT WHEN handed IS NULL;
      CONTINUE WHEN nth IS NULL;
      counts[place] := 1;
      handed[nth] := NULL;
    END LOOP;
  END IF;
END
`,
  });
}

/** The call of the function, and the name under which sessions keep it parsed. */
export interface DeliverCall {
  readonly name: string;
  /** One row: lists of outcomes and of how many got each, and a JSON list of what was started with the places of what started it, or null. */
  of(messages: readonly IncomingMessage[]): Statement;
}

export function createDeliverCall(tables: TableNames): DeliverCall {
  const called = raw(functionName(tables, name));
  const of = (messages: readonly IncomingMessage[]): Statement => {
    const column = (valueOf: (message: IncomingMessage) => string | null): string => arrayLiteral(messages, valueOf);
    const starts = messages.some((message) => message.starts !== null);
    return sql`SELECT to_json(outcomes), to_json(counts), started FROM ${called}(${column(({ source }) => source)},
        ${column(({ messageId }) => messageId)}, ${column(({ topic }) => topic)}, ${column(({ data }) => data)}, ${column(({ to }) => to.type)},
        ${column(({ to }) => (to.type === 'instance' ? to.instanceId : to.type === 'group' ? to.group : null))},
        ${starts ? column((message) => message.starts?.input ?? null) : null},
        ${starts ? column((message) => message.starts?.idEnding ?? null) : null})`;
  };
  return { name: callName(name, of([]).text), of };
}
