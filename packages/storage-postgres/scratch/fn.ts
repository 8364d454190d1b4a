export function commitFunction(t: any, schema: string): string {
  return `
CREATE OR REPLACE FUNCTION ${schema}.commit_progress(
  worker text,
  s_id text[], s_workflow text[], s_input text[], s_token text[], s_owned boolean[],
  e_instance text[], e_seq integer[], e_kind text[], e_call text[], e_position integer[], e_data text[], e_due float8[],
  b_channel text[], b_instance text[],
  m_instance text[], m_id bigint[],
  x_instance text[], x_claim integer[], x_type text[], x_status text[], x_wake float8[], x_output text[], x_error text[],
  OUT alive boolean, OUT clock bigint, OUT conflicts json, OUT refused json
) LANGUAGE plpgsql
SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $body$
DECLARE
  stamp timestamptz := date_trunc('milliseconds', now());
  affected integer;
  strangers text[];
  ended text[];
BEGIN
  PERFORM FROM ${t.workers.text} w WHERE w.worker_id = worker FOR KEY SHARE;
  alive := FOUND;
  clock := floor(extract(epoch FROM clock_timestamp()) * 1000);
  IF NOT alive THEN RETURN; END IF;
  IF s_id IS NOT NULL THEN
    INSERT INTO ${t.instances.text} (instance_id, workflow_name, input, start_token, status, owner, claims, wake_at, created_at)
    SELECT s.id, s.workflow, s.input::json, s.token, CASE WHEN s.owned THEN 'running' ELSE 'pending' END, CASE WHEN s.owned THEN worker END,
      s.owned::integer, CASE WHEN NOT s.owned THEN stamp END, stamp
    FROM unnest(s_id, s_workflow, s_input, s_token, s_owned) AS s (id, workflow, input, token, owned)
    ON CONFLICT (instance_id) DO NOTHING;
    GET DIAGNOSTICS affected = ROW_COUNT;
    IF affected < cardinality(s_id) THEN
      SELECT json_agg(s.id), array_agg(s.id) FILTER (WHERE i.owner IS DISTINCT FROM worker) INTO conflicts, strangers
      FROM unnest(s_id, s_token) AS s (id, token) LEFT JOIN ${t.instances.text} i ON i.instance_id = s.id
      WHERE i.start_token IS DISTINCT FROM s.token;
    END IF;
  END IF;
  IF e_instance IS NOT NULL THEN
    INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
    SELECT e.instance, e.seq, e.kind, e.call, e.place, e.data::json, to_timestamp(e.due / 1000), stamp
    FROM unnest(e_instance, e_seq, e_kind, e_call, e_position, e_data, e_due) AS e (instance, seq, kind, call, place, data, due)
    WHERE strangers IS NULL OR NOT e.instance = ANY(strangers)
    ON CONFLICT (instance_id, seq) DO NOTHING;
  END IF;
  IF b_channel IS NOT NULL THEN
    INSERT INTO ${t.subscriptions.text} (channel, instance_id)
    SELECT b.channel, b.instance FROM unnest(b_channel, b_instance) AS b (channel, instance)
    WHERE EXISTS (SELECT FROM ${t.instances.text} i WHERE i.instance_id = b.instance AND i.owner = worker)
    ON CONFLICT (channel, instance_id) DO NOTHING;
  END IF;
  IF m_instance IS NOT NULL THEN
    DELETE FROM ${t.mailbox.text} m USING unnest(m_instance, m_id) AS x (instance, id)
    WHERE m.instance_id = x.instance AND m.mail_id = x.id;
  END IF;
  IF x_instance IS NOT NULL THEN
    WITH settled AS (
      UPDATE ${t.instances.text} i
      SET status = x.status, owner = NULL, attention = false, version = i.version + 1, output = x.output::json, error = x.error::json,
        wake_at = CASE WHEN x.type = 'finish' THEN NULL WHEN x.type = 'release' AND x.wake IS NULL THEN stamp ELSE to_timestamp(x.wake / 1000) END,
        finished_at = CASE WHEN x.type = 'finish' THEN stamp END
      FROM unnest(x_instance, x_claim, x_type, x_status, x_wake, x_output, x_error) AS x (instance, claim, type, status, wake, output, error)
      WHERE i.instance_id = x.instance AND i.owner = worker AND i.claims = x.claim
        AND NOT (x.type = 'park' AND i.attention)
        AND NOT (x.type = 'finish' AND x.status <> 'cancelled' AND i.cancel_requested_at IS NOT NULL)
      RETURNING i.instance_id, i.finished_at
    )
    SELECT count(*), array_agg(instance_id) FILTER (WHERE finished_at IS NOT NULL) INTO affected, ended FROM settled;
    IF affected < cardinality(x_instance) THEN
      SELECT json_agg(x.instance) INTO refused
      FROM unnest(x_instance, x_claim) AS x (instance, claim) JOIN ${t.instances.text} i ON i.instance_id = x.instance
      WHERE i.owner = worker AND i.claims = x.claim;
    END IF;
    IF ended IS NOT NULL THEN
      DELETE FROM ${t.mailbox.text} m WHERE m.instance_id = ANY(ended);
      DELETE FROM ${t.subscriptions.text} s WHERE s.instance_id = ANY(ended);
    END IF;
  END IF;
END
$body$`;
}
export function commitCall(schema: string, b: any, claims: any): { text: string; values: any[] } {
  const of = (rows: any[], ...keys: any[]): any[] => keys.map((k) => rows.length === 0 ? null : rows.map(typeof k === 'function' ? k : (r: any) => r[k]));
  const values = [b.workerId,
    ...of(b.starts, 'instanceId', 'workflowName', 'input', 'startToken', 'owned'),
    ...of(b.entries, 'instanceId', 'seq', 'kind', 'callId', 'position', 'data', 'dueAt'),
    ...of(b.subscriptions, 'channel', 'instanceId'),
    ...of(b.takenMail, 'instanceId', 'mailId'),
    ...of(b.settlements, 'instanceId', (_: any, n: number) => claims[n], 'type', 'status', 'wakeAt', 'output', 'error'),
  ];
  return { text: `SELECT alive, clock, conflicts, refused FROM ${schema}.commit_progress(${values.map((_, i) => `$${i + 1}`).join(', ')})`, values };
}
