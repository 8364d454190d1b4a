// The function in the database that commits a batch of what is most frequent: starts, entries of histories, waits for events, settlements.
import { commitFunction } from './commit-function.js';
import { createFunction } from './create-function.js';
import { functionName } from './function-settings.js';
import { findRefused, leave, removeTaken, settle } from './settlement-statements.js';
import type { TableNames } from './table-names.js';

/*
 * It does what `commit_progress_1` does with the same batch, and for less, since whatever can be without is: of each parameter, each question and each
 * statement a transaction of one step pays more than of the row that it writes. What is seldom is handed on, while nothing but the worker's row is
 * locked and nothing but starts is written, which the other function finds as its own.
 *
 * Entries are inserted without asking whether they are there: that question costs a further look into the index and a further record. They are there only when a commit is
 * repeated whose answer was lost. The statement then fails as a whole, and the caller sends the batch to the other function, which keeps what is there. A start is looked
 * for first, since ids that are taken are no rarity; that it is inserted elsewhere between the look and the insertion is one, and ends in the same way. An id
 * that was made for this start, which then has no other token, is not looked for: it is there only when the commit is repeated.
 *
 * Lists are read by their places: a relation of several lists (`unnest`) would write each of them down first. A list that is null is null at every place.
 *
 * As a rule the answer is the clock alone, as text. What else there is to say makes it a list.
 *
 * Who ends may have mail, subscriptions and memberships. That is not looked for where his row was changed by starts and claims alone: whoever sends him
 * something changes it, and so does a commit in which he subscribes or joins, unless it is this one. (Such a commit parks him, or changes his
 * version for nothing else: `linked` of the other function.)
 */

/** The function's name. */
export const commitRunsFunction = 'commit_runs_1';

/** To be put into a migration. Its parameters are written by commit-parameters.ts, in this order. */
export function createCommitRunsFunction(t: TableNames): string {
  return createFunction(t, {
    name: commitRunsFunction,
    parameters: `
  worker text,
  start_id text[], start_workflow text[], start_input json[], start_token text[], start_owned boolean[],
  entry_instance text[], entry_seq integer[], entry_kind text[], entry_call text[], entry_position integer[], entry_data json[],
  entry_due float8[],
  subscribed_topic text[], subscribed_path text[], subscribed_value text[], subscribed_instance text[], subscribed_seq integer[],
  taken_instance text[], taken_mail bigint[],
  settled_instance text[], settled_claim integer[], settled_type text[], settled_status text[], settled_wake float8[],
  settled_output json[], settled_error json[]`,
    returns: 'RETURNS text',
    body: bodyOf(t),
  });
}

/** Everything else, by the other function; what it tells of messages is nothing, since there are none. */
function handOn(t: TableNames): string {
  const nulls = (count: number): string => ', NULL'.repeat(count);
  return `RETURN (SELECT CASE WHEN p.alive THEN json_build_array(p.clock, p.conflicts, p.refused, p.handed)::text END
    FROM ${functionName(t, commitFunction)}(worker, start_id, start_workflow, start_input, start_token, start_owned, NULL,
      entry_instance, entry_seq, entry_kind, entry_call, entry_position, entry_data, entry_due,
      subscribed_topic, subscribed_path, subscribed_value, subscribed_instance, NULL, subscribed_seq, taken_instance, taken_mail,
      settled_instance, settled_claim, settled_type, settled_status, settled_wake, settled_output, settled_error${nulls(14)}) p);`;
}

function bodyOf(t: TableNames): string {
  // At that moment, not at the beginning: a call that had to wait for a lock must not tell a time of before.
  const clock = `floor(date_part('epoch', clock_timestamp()) * 1000)::bigint`;
  return `
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  affected integer;
  refused json;
  holds_queued boolean;
  ended text[];
BEGIN
  -- The fence, as in the other function. Of what is settled, the same statement tells whether any may have to give something back to a queue: that
  -- locks topics, and topics come before rows. Such subscriptions are written for their own worker alone.
  IF settled_instance IS NULL THEN
    PERFORM FROM ${t.workers.text} w WHERE w.worker_id = worker FOR KEY SHARE;
  ELSE
    SELECT EXISTS (SELECT FROM ${t.subscriptions.text} s WHERE s.mode = 'competing' AND s.instance_id = ANY(settled_instance))
    INTO holds_queued FROM ${t.workers.text} w WHERE w.worker_id = worker FOR KEY SHARE;
  END IF;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF holds_queued THEN
    ${handOn(t)}
  END IF;

  -- One that is there is somebody else's, or this batch was sent before. One that comes at this very moment fails the statement, as an entry does.
  IF start_id IS NOT NULL THEN
    INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, start_token, status, owner, claims, version, wake_at, created_at)
    SELECT start_id[s.n], start_workflow[s.n], start_input[s.n], start_token[s.n], CASE WHEN start_owned[s.n] THEN 'running' ELSE 'pending' END,
      CASE WHEN start_owned[s.n] THEN worker END, start_owned[s.n]::integer, start_owned[s.n]::integer, CASE WHEN NOT start_owned[s.n] THEN stamp END, stamp
    FROM (SELECT generate_series(1, cardinality(start_id)) AS n) s
    WHERE start_token[s.n] IS NULL OR (SELECT i.instance_id FROM ${t.instances.text} i WHERE i.instance_id = start_id[s.n]) IS NULL;
    GET DIAGNOSTICS affected = ROW_COUNT;
    IF affected < cardinality(start_id) THEN
      ${handOn(t)}
    END IF;
  END IF;

  IF entry_instance IS NOT NULL THEN
    INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
    SELECT entry_instance[e.n], entry_seq[e.n], entry_kind[e.n], entry_call[e.n], entry_position[e.n], entry_data[e.n],
      to_timestamp(entry_due[e.n] / 1000), stamp
    FROM (SELECT generate_series(1, cardinality(entry_instance)) AS n) e;
  END IF;

  -- Only while the instance is owned, as in the other function. Their entries were not there, or the statement above had failed.
  IF subscribed_topic IS NOT NULL THEN
    INSERT INTO ${t.subscriptions.text} (topic, path, value, instance_id, seq)
    SELECT b.topic, b.path, b.value, b.instance, b.seq
    FROM unnest(subscribed_topic, subscribed_path, subscribed_value, subscribed_instance, subscribed_seq)
      AS b (topic, path, value, instance, seq)
    WHERE (SELECT i.owner FROM ${t.instances.text} i WHERE i.instance_id = b.instance) = worker
    ON CONFLICT (topic, path, value, instance_id) DO NOTHING;
  END IF;
  IF taken_instance IS NOT NULL THEN
    ${removeTaken(t)}
  END IF;

  -- As in the other function, row by row in the order of ids.
  IF settled_instance IS NOT NULL THEN
    WITH settled AS (
      ${settle(t, { takesAll: false })}
      RETURNING i.instance_id, 
        i.finished_at IS NOT NULL AND (i.version > i.claims + 1 OR subscribed_topic IS NOT NULL) AS leaves
    )
    SELECT count(*), array_agg(s.instance_id) FILTER (WHERE s.leaves) INTO affected, ended FROM settled s;
    IF affected < cardinality(settled_instance) THEN
      ${findRefused(t)}
    END IF;
    -- Of most, nothing is anywhere else: nobody has sent them anything, and they have neither subscribed nor joined, or their version would tell.
    IF ended IS NOT NULL THEN
      ${leave(t)}
    END IF;
    IF refused IS NOT NULL THEN
      RETURN json_build_array(${clock}, NULL, refused, NULL)::text;
    END IF;
  END IF;
  RETURN ${clock}::text;
END
`;
}
