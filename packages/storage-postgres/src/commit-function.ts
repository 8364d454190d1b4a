// The function in the database that commits a batch of progress.
import { createFunction } from './create-function.js';
import { functionName } from './function-settings.js';
import { insertEntries } from './insert-entries.js';
import { findRefused, leave, removeTaken, settle } from './settlement-statements.js';
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

/** The function's name. */
export const commitFunction = 'commit_progress_1';

/** To be put into a migration. Its parameters are written by commit-parameters.ts, in this order. */
export function createCommitFunction(t: TableNames): string {
  return createFunction(t, {
    name: commitFunction,
    parameters: `
  worker text,
  start_id text[], start_workflow text[], start_input json[], start_token text[], start_owned boolean[], start_parent text[],
  entry_instance text[], entry_seq integer[], entry_kind text[], entry_call text[], entry_position integer[], entry_data json[],
  entry_due float8[],
  subscribed_topic text[], subscribed_path text[], subscribed_value text[], subscribed_instance text[], subscribed_mode text[],
  subscribed_seq integer[],
  taken_instance text[], taken_mail bigint[],
  settled_instance text[], settled_claim integer[], settled_type text[], settled_status text[], settled_wake float8[],
  settled_output json[], settled_error json[], settled_failures text[], settled_seen bigint[],
  message_gate text[], message_sender text[], message_seq integer[], message_id text[], message_topic text[], message_data json[],
  message_kind text[], message_target text[],
  linked text[], moves json, events json, recurs json,
  OUT alive boolean, OUT clock bigint, OUT conflicts json, OUT refused json, OUT undelivered json, OUT undelivered_at_end json,
  OUT handed json`,
    returns: '',
    body: bodyOf(t),
  });
}

function bodyOf(t: TableNames): string {
  const call = (name: string): string => functionName(t, name);
  return `
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  affected integer;
  strangers text[];
  ended text[];
  -- Whether there is anything to do beyond its own instances. What a commit without that is spared hangs on it.
  has_more boolean := message_id IS NOT NULL OR moves IS NOT NULL OR events IS NOT NULL OR recurs IS NOT NULL;
  leaving text[];
  left_topics text[];
  topics text[];
  archives text[];
  written jsonb;
  repeats boolean := false;
  conflicting text[];
  due boolean[];
  places integer[];
  receivers text[];
  refused_recurs text[];
  handed_topics text[];
  handed_ids text[];
  handed_to text[];
  -- What the moves are, since most have none of most kinds.
  move_types text[];
  knowing text[];
  known bigint[];
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

  -- What an instance got from a queue goes back there when it ends. Seldom any has such subscriptions: a small index says so for all that are
  -- settled, and only then it is asked which of them end.
  IF 'finish' = ANY(settled_type) THEN
    SELECT array_agg(s.instance_id) INTO leaving FROM ${t.subscriptions.text} s
    WHERE s.mode = 'competing' AND s.instance_id = ANY(settled_instance);
    IF leaving IS NOT NULL THEN
      SELECT array_agg(x.instance) INTO leaving FROM unnest(settled_instance, settled_type) AS x (instance, type)
      WHERE x.type = 'finish' AND x.instance = ANY(leaving);
    END IF;
  END IF;
  IF recurs IS NOT NULL THEN
    SELECT leaving || array_agg(r.instance) INTO leaving FROM json_to_recordset(recurs) AS r (instance text);
  END IF;
  IF leaving IS NOT NULL THEN
    SELECT array_agg(s.topic) INTO left_topics FROM ${t.subscriptions.text} s WHERE s.mode = 'competing' AND s.instance_id = ANY(leaving);
    has_more := true;
  END IF;
  -- Topics before rows, see queue-functions.ts.
  IF has_more THEN
    SELECT left_topics || array_agg(m.topic) INTO topics
    FROM unnest(message_topic, message_kind) AS m (topic, kind) WHERE m.kind = 'subscribers';
    IF moves IS NOT NULL THEN
      SELECT array_agg(DISTINCT m.type) INTO move_types FROM json_to_recordset(moves) AS m (type text);
    END IF;
    SELECT topics || array_agg(m.about) INTO topics
    FROM json_to_recordset(moves) AS m (type text, about text) WHERE m.type IN ('seek', 'unseek', 'unsubscribe');
    topics := ${call('lock_topics_1')}(topics);
  END IF;

  -- In the order of ids, as everywhere where several rows are waited for: of another start of the same id, here.
  IF start_id IS NOT NULL THEN
    INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, start_token, status, owner, claims, version, wake_at,
      created_at, parent_id)
    SELECT s.id, s.workflow, s.input, s.token, CASE WHEN s.owned THEN 'running' ELSE 'pending' END,
      CASE WHEN s.owned THEN worker END, s.owned::integer, s.owned::integer, CASE WHEN NOT s.owned THEN stamp END,
      stamp, s.parent
    FROM unnest(start_id, start_workflow, start_input, start_token, start_owned, start_parent)
      AS s (id, workflow, input, token, owned, parent)
    ON CONFLICT (instance_id) DO NOTHING;
    GET DIAGNOSTICS affected = ROW_COUNT;
    -- One that inserted nothing found its own row, made by this very batch before, or another's. This statement sees which: also rows
    -- that were committed after the one above began. What the batch says of an id that somebody else has is not meant for that one; of
    -- one that this worker runs itself, it is: it cannot run two, so a further start of it has done nothing yet.
    IF affected < cardinality(start_id) THEN
      SELECT json_agg(s.id), array_agg(s.id), array_agg(s.id) FILTER (WHERE (i.owner = worker) IS NOT TRUE)
      INTO conflicts, conflicting, strangers
      FROM unnest(start_id, start_token) AS s (id, token)
      LEFT JOIN ${t.instances.text} i ON i.instance_id = ANY(ARRAY[s.id])
      WHERE i.instance_id IS NULL OR i.start_token IS DISTINCT FROM s.token;
    END IF;
  END IF;

  IF recurs IS NOT NULL THEN
    archives := ${call('archive_1')}(worker, recurs, stamp);
  END IF;

  -- Entries go by the fence alone: nobody else writes those of an instance while its owner lives. A repetition keeps what is there.
  IF entry_instance IS NOT NULL THEN
    IF has_more OR subscribed_topic IS NOT NULL THEN
      WITH inserted AS (
        ${insertEntries(t)}
        RETURNING instance_id, seq
      )
      SELECT jsonb_object_agg(n.seq || ' ' || n.instance_id, true), count(*) INTO written, affected FROM inserted n;
      repeats := affected < cardinality(entry_instance);
    ELSE
      ${insertEntries(t)};
    END IF;
  END IF;

  -- Only while the instance is owned: a repetition must not leave one with an instance that has ended meanwhile. Nor one that came with an entry that
  -- was there already: it may be over.
  IF subscribed_topic IS NOT NULL THEN
    IF subscribed_mode IS NOT NULL THEN
      INSERT INTO ${t.channels.text} (topic, mode, used_at)
      SELECT DISTINCT ON (b.topic) b.topic, b.mode, stamp FROM unnest(subscribed_topic, subscribed_mode) AS b (topic, mode)
      WHERE b.mode IS NOT NULL ORDER BY b.topic
      ON CONFLICT (topic) DO NOTHING;
    END IF;
    INSERT INTO ${t.subscriptions.text} (topic, path, value, instance_id, mode, seq)
    SELECT b.topic, b.path, b.value, b.instance, b.mode, b.seq
    FROM unnest(subscribed_topic, subscribed_path, subscribed_value, subscribed_instance, subscribed_mode, subscribed_seq)
      AS b (topic, path, value, instance, mode, seq)
    WHERE (SELECT i.owner FROM ${t.instances.text} i WHERE i.instance_id = b.instance) = worker
      AND (NOT repeats OR coalesce(written ? (b.seq || ' ' || b.instance), false)
        OR (b.seq || ' ' || b.instance) <> ALL(ARRAY(SELECT e.seq || ' ' || e.instance FROM unnest(entry_instance, entry_seq) AS e (instance, seq))))
    ON CONFLICT (topic, path, value, instance_id) DO NOTHING;
  END IF;

  IF taken_instance IS NOT NULL THEN
    ${removeTaken(t)}
  END IF;

  IF has_more THEN
    due := ${call('due_messages_1')}(message_gate, message_sender, message_seq, message_id, message_target, written, conflicting);
    SELECT p.places, p.receivers INTO places, receivers FROM ${call('prepare_effects_1')}(worker, written, topics, settled_instance || linked, leaving,
      message_topic, message_data, message_kind, message_target, message_sender, message_seq, due, moves, move_types) p;
    undelivered := ${call('send_messages_1')}(message_id, message_topic, message_data, message_kind, due, places, receivers, stamp);
    -- Who begins to seek and knows all that came to it: it is given what it gets with the answer. All those rows are locked.
    IF 'seek' = ANY(move_types) THEN
      SELECT array_agg(i.instance_id), array_agg(i.version) INTO knowing, known
      FROM json_to_recordset(moves) AS m (type text, instance text, seen bigint) JOIN ${t.instances.text} i ON i.instance_id = ANY(ARRAY[m.instance])
      WHERE m.type = 'seek' AND (NOT i.attention OR i.version = m.seen);
    END IF;
    SELECT a.* INTO handed_topics, handed_ids, handed_to FROM ${call('apply_moves_1')}(worker, written, topics, moves, move_types, stamp) a;
  ELSIF linked IS NOT NULL THEN
    PERFORM ${call('lock_instances_1')}(settled_instance || linked);
  END IF;
  -- Who subscribed or joined is changed at least once beside starts and claims, so that his end knows of it (see commit-runs-function.ts).
  IF linked IS NOT NULL THEN
    UPDATE ${t.instances.text} i SET version = i.version + 1 WHERE i.instance_id = ANY(linked) AND (i.owner = worker) IS TRUE;
  END IF;

  IF settled_instance IS NOT NULL THEN
    WITH settled AS (
      ${settle(t, { takesAll: true })}
      RETURNING i.instance_id, i.finished_at
    )
    SELECT count(*), array_agg(s.instance_id) FILTER (WHERE s.finished_at IS NOT NULL) INTO affected, ended FROM settled s;
    IF affected < cardinality(settled_instance) THEN
      ${findRefused(t)}
    END IF;
    IF ended IS NOT NULL THEN
      IF has_more THEN
        PERFORM ${call('give_back_1')}(ended, NULL);
      END IF;
      ${leave(t)}
    END IF;
  END IF;

  IF has_more THEN
    IF recurs IS NOT NULL THEN
      SELECT r.refused INTO refused_recurs FROM ${call('recur_1')}(worker, recurs, archives, stamp) r;
      IF refused_recurs IS NOT NULL THEN
        refused := array_to_json(ARRAY(SELECT json_array_elements_text(refused)) || refused_recurs);
      END IF;
    END IF;
    IF ended IS NOT NULL THEN
      undelivered_at_end := ${call('send_messages_1')}(message_id, message_topic, message_data, message_kind,
        ARRAY(SELECT m.gate = 'end' AND m.sender = ANY(ended) FROM unnest(message_gate, message_sender) WITH ORDINALITY AS m (gate, sender, place)
          ORDER BY m.place),
        places, receivers, stamp);
      PERFORM ${call('cancel_instances_1')}(array_agg(m.about), array_agg(m.reason), array_agg(m.parent), stamp)
      FROM json_to_recordset(moves) AS m (type text, instance text, about text, reason text, parent text)
      WHERE m.type = 'cancel at end' AND m.instance = ANY(ended);
    END IF;
    SELECT handed_topics || h.gone_topics, handed_ids || h.gone_ids, handed_to || h.gone_to INTO handed_topics, handed_ids, handed_to
    FROM ${call('hand_out_1')}(topics, NULL, NULL, stamp) h;
    -- To whom messages of queues came, and of what is this worker's the mail, with the version that it made, if nothing else has changed the row.
    IF handed_to IS NOT NULL THEN
      SELECT json_agg(json_build_array(h.instance, h.topic, h.id, i.owner = worker, m.mail_id::text, m.data::text, CASE
        WHEN i.version = known[array_position(knowing, h.instance)] + 1 AND cardinality(array_positions(handed_to, h.instance)) = 1
        THEN i.version::text END))
      INTO handed FROM unnest(handed_to, handed_topics, handed_ids) AS h (instance, topic, id)
      JOIN ${t.instances.text} i ON i.instance_id = ANY(ARRAY[h.instance])
      LEFT JOIN LATERAL (
        SELECT b.mail_id, b.data FROM ${t.mailbox.text} b
        WHERE b.instance_id = h.instance AND b.topic = h.topic AND b.queue_number IS NOT NULL AND (i.owner = worker) IS TRUE
        ORDER BY b.mail_id DESC LIMIT 1
      ) m ON true;
    END IF;
    -- Last, see event-functions.ts.
    IF events IS NOT NULL THEN
      PERFORM ${call('write_events_1')}(events, written, stamp);
    END IF;
  END IF;
END
`;
}
