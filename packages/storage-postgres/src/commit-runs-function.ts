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
 * repeated whose answer was lost. The statement then fails as a whole, and the caller sends the batch to the other function, which keeps what is there.
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
  start_id text[], start_workflow text[], start_input text[], start_token text[], start_owned boolean[],
  entry_instance text[], entry_seq integer[], entry_kind text[], entry_call text[], entry_position integer[], entry_data text[],
  entry_due float8[],
  subscribed_topic text[], subscribed_path text[], subscribed_value text[], subscribed_instance text[], subscribed_seq integer[],
  taken_instance text[], taken_mail bigint[],
  settled_instance text[], settled_claim integer[], settled_type text[], settled_status text[], settled_wake float8[],
  settled_output text[], settled_error text[],
  OUT alive boolean, OUT clock bigint, OUT conflicts json, OUT refused json, OUT handed json`,
    returns: '',
    body: bodyOf(t),
  });
}

/** Everything else, by the other function; what it tells of messages is nothing, since there are none. */
function handOn(t: TableNames): string {
  const nulls = (count: number): string => ', NULL'.repeat(count);
  return `SELECT p.alive, p.clock, p.conflicts, p.refused, p.handed INTO alive, clock, conflicts, refused, handed
    FROM ${functionName(t, commitFunction)}(worker, start_id, start_workflow, start_input, start_token, start_owned, NULL,
      entry_instance, entry_seq, entry_kind, entry_call, entry_position, entry_data, entry_due,
      subscribed_topic, subscribed_path, subscribed_value, subscribed_instance, NULL, subscribed_seq, taken_instance, taken_mail,
      settled_instance, settled_claim, settled_type, settled_status, settled_wake, settled_output, settled_error${nulls(14)}) p;
    RETURN;`;
}

function bodyOf(t: TableNames): string {
  return `
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  affected integer;
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
  alive := FOUND;
  IF holds_queued THEN
    ${handOn(t)}
  END IF;
  clock := floor(extract(epoch FROM clock_timestamp()) * 1000);
  IF NOT alive THEN
    RETURN;
  END IF;

  IF start_id IS NOT NULL THEN
    INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, start_token, status, owner, claims, version, wake_at, created_at)
    SELECT s.id, s.workflow, s.input::json, s.token, CASE WHEN s.owned THEN 'running' ELSE 'pending' END,
      CASE WHEN s.owned THEN worker END, s.owned::integer, s.owned::integer, CASE WHEN NOT s.owned THEN stamp END, stamp
    FROM unnest(start_id, start_workflow, start_input, start_token, start_owned) AS s (id, workflow, input, token, owned)
    ON CONFLICT (instance_id) DO NOTHING;
    GET DIAGNOSTICS affected = ROW_COUNT;
    -- One was there: somebody else's, or this batch was sent before.
    IF affected < cardinality(start_id) THEN
      ${handOn(t)}
    END IF;
  END IF;

  IF entry_instance IS NOT NULL THEN
    INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
    SELECT e.instance, e.seq, e.kind, e.call, e.place, e.data::json, to_timestamp(e.due / 1000), stamp
    FROM unnest(entry_instance, entry_seq, entry_kind, entry_call, entry_position, entry_data, entry_due)
      AS e (instance, seq, kind, call, place, data, due);
  END IF;

  -- Only while the instance is owned, as in the other function. Their entries were not there, or the statement above had failed.
  IF subscribed_topic IS NOT NULL OR taken_instance IS NOT NULL THEN
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
  END IF;
END
`;
}
