// The functions in the database by which instances begin anew.
import { createInnerFunction } from './create-function.js';
import { functionName } from './function-settings.js';
import type { TableNames } from './table-names.js';

/*
 * The row of what was is inserted before rows of instances are locked, as all starts are: to insert waits for whoever is about to insert the same id, and who waits
 * so must hold no row that the other may want. All that it copies is its owner's alone, and cannot change. Only a cancellation can come until the
 * row is locked; the recurrence is then refused, and the new row, which nobody has seen, goes again.
 */

/** To be put into a migration. */
export function createRecurFunctions(t: TableNames): string {
  return [archive(t), recur(t)].join(';\n');
}

/** What a recurrence is, as a record of JSON. */
const columns = `instance text, claim integer, archive text, input text, owned boolean, seq integer, kind text, call text, position integer,
      data text, due float8, keep json`;
const names = columns.replace(/(\w+) \w+/g, '$1');

function archive(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'archive_1',
    parameters: 'worker text, recurs json, stamp timestamptz',
    returns: 'RETURNS text[]',
    body: `
DECLARE
  part record;
  named text;
  archives text[] := '{}';
BEGIN
  FOR part IN SELECT r.instance, r.claim, r.archive, r.seq FROM json_to_recordset(recurs) AS r (${columns}) LOOP
    named := part.archive;
    -- The second time, when somebody else has the id.
    FOR attempt IN 1 .. 2 LOOP
      INSERT INTO ${t.instances.text} (instance_id, workflow_name, status, input_checked, claims, generation, history_start, history_end,
        start_token, input, created_at, finished_at, parent_id, continued_as, continued_from, history_of)
      SELECT named, i.workflow_name, 'recurred', i.input_checked, i.claims, i.generation, i.history_start, part.seq - 1,
        'recurred ' || gen_random_uuid(), i.input, i.created_at, stamp, i.parent_id, i.instance_id, i.continued_from,
        i.instance_id
      FROM ${t.instances.text} i
      WHERE i.instance_id = part.instance AND (i.owner = worker) IS TRUE AND i.claims = part.claim AND i.cancel_requested_at IS NULL
      ON CONFLICT (instance_id) DO NOTHING;
      EXIT WHEN FOUND;
      named := CASE attempt WHEN 1 THEN part.archive || '.' || gen_random_uuid() END;
    END LOOP;
    archives := array_append(archives, named);
  END LOOP;
  RETURN archives;
END
`,
  });
}

/** @returns ids of those that are refused, and the topics to whose queues something came back. */
function recur(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'recur_1',
    parameters: 'worker text, recurs json, archives text[], stamp timestamptz, OUT refused text[], OUT returned text[]',
    returns: '',
    body: `
DECLARE
  part record;
BEGIN
  FOR part IN
    SELECT r.*, archives[r.place] AS archived
    FROM ROWS FROM (json_to_recordset(recurs) AS (${columns})) WITH ORDINALITY AS r (${names}, place)
  LOOP
    UPDATE ${t.instances.text} i
    SET input = part.input::json, input_checked = true, generation = i.generation + 1, history_start = part.seq - 1, created_at = stamp,
      error = NULL, continued_from = part.archived, version = i.version + 1, claims = i.claims + part.owned::integer,
      status = CASE WHEN part.owned THEN 'running' ELSE 'pending' END, owner = CASE WHEN part.owned THEN worker END,
      attention = i.attention AND part.owned, wake_at = CASE WHEN NOT part.owned THEN stamp END
    WHERE i.instance_id = part.instance AND (i.owner = worker) IS TRUE AND i.claims = part.claim AND i.cancel_requested_at IS NULL;
    IF NOT FOUND THEN
      DELETE FROM ${t.instances.text} i WHERE i.instance_id = part.archived;
      SELECT refused || array_agg(i.instance_id) INTO refused FROM ${t.instances.text} i
      WHERE i.instance_id = part.instance AND (i.owner = worker) IS TRUE AND i.claims = part.claim;
      CONTINUE;
    END IF;
    INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
    VALUES (part.instance, part.seq, part.kind, part.call, part.position, part.data::json, to_timestamp(part.due / 1000), stamp)
    ON CONFLICT (instance_id, seq) DO NOTHING;
    -- Nobody of the new part waits yet for what the old one sought.
    UPDATE ${t.subscriptions.text} s SET seeking_since = NULL WHERE s.instance_id = part.instance;
    returned := returned || ${functionName(t, 'give_back_1')}(ARRAY[part.instance], NULL);
    DELETE FROM ${t.subscriptions.text} s WHERE s.instance_id = part.instance AND NOT EXISTS (
      SELECT FROM json_to_recordset(part.keep) AS k (topic text, path text, value text)
      WHERE k.topic = s.topic AND k.path = s.path AND k.value = s.value
    );
  END LOOP;
END
`,
  });
}
