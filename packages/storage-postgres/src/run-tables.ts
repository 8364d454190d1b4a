// The tables of instances, their history, and the workers that run them.
import type { TableNames } from './table-names.js';

/*
 * Names and ids compare byte by byte (COLLATE "C"): equality and order are then the same on every server, whatever its locale, and an
 * index cannot be broken by a new version of the operating system's collations.
 *
 * Payloads are `json`, not `jsonb`: SQL can read them, and the text comes back as it was written, with the order of members.
 *
 * No foreign keys: each of them would be a lock and a look-up per row in the hottest statements, for rows that are written together
 * with, or after, their instance by the same statements.
 *
 * Rows of `instances` change often and are small besides their payloads (which PostgreSQL keeps out of line when they are large), so
 * pages keep room for new versions, and vacuum comes after a twentieth of the table instead of a fifth: what is due is found at the
 * low end of an index from which claimed rows must vanish.
 *
 * Columns stand in the order in which rows are written with the fewest bytes: first what is always there and of one width, so that nothing has to be
 * aligned between texts; and in `instances` what stays as it was made, up to the input, before what changes: where the new version of a row is in the page of the
 * old one, the log leaves out how both begin.
 *
 * Each change of a row is a new entry in all of its indexes, since what changes (owner, status, due time) is in some of them. So there are few, of
 * narrow columns: lists, which follow the creation time, sort what came in the same millisecond by its id as they read it. What runs is not among
 * the statuses, since a short workflow would be entered there and leave again at once: all of it is found by the owners.
 *
 * An earlier part of an instance that recurred is a row of its own. Its history stays under the id that goes on (`history_of`), in the range
 * of numbers from `history_start` (not with it) to `history_end` (with it).
 */
export function runTables(t: TableNames): string {
  return `
      CREATE TABLE ${t.instances.text} (
        created_at timestamptz NOT NULL,
        generation integer NOT NULL DEFAULT 0,
        history_start integer NOT NULL DEFAULT 0,
        input_checked boolean NOT NULL DEFAULT true,
        instance_id text COLLATE "C" NOT NULL,
        workflow_name text COLLATE "C" NOT NULL,
        start_token text,
        parent_id text COLLATE "C",
        continued_from text COLLATE "C",
        continued_as text COLLATE "C",
        history_of text COLLATE "C",
        history_end integer,
        input json NOT NULL,
        claims integer NOT NULL DEFAULT 0,
        version bigint NOT NULL DEFAULT 0,
        wake_at timestamptz,
        finished_at timestamptz,
        cancel_requested_at timestamptz,
        attention boolean NOT NULL DEFAULT false,
        compensating boolean NOT NULL DEFAULT false,
        status text COLLATE "C" NOT NULL,
        owner text COLLATE "C",
        output json,
        error json,
        compensation_failures json,
        cancel_reason text,
        CHECK (wake_at IS NULL OR (owner IS NULL AND finished_at IS NULL)),
        CHECK (owner IS NULL OR finished_at IS NULL),
        CHECK (owner IS NOT NULL OR NOT attention)
      ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
      CREATE INDEX instances_due ON ${t.instances.text} (workflow_name, wake_at) WHERE wake_at IS NOT NULL;
      CREATE INDEX instances_owner ON ${t.instances.text} (owner) WHERE owner IS NOT NULL;
      CREATE INDEX instances_attention ON ${t.instances.text} (owner) WHERE attention;
      CREATE INDEX instances_status ON ${t.instances.text} (status, created_at) WHERE status <> 'running';
      CREATE INDEX instances_finished ON ${t.instances.text} (status, finished_at) WHERE finished_at IS NOT NULL;
      CREATE INDEX instances_history_of ON ${t.instances.text} (history_of) WHERE history_of IS NOT NULL;
      -- Last: of indexes that seem to cost the same, as all do on an empty table, the planner takes the newest. Sessions keep their plans.
      ALTER TABLE ${t.instances.text} ADD PRIMARY KEY (instance_id);
      COMMENT ON COLUMN ${t.instances.text}.start_token IS 'Of the call that started it; null where that is the id, which was made for the call.';
      COMMENT ON COLUMN ${t.instances.text}.attention IS 'Something came from outside that the owner has not read.';
      COMMENT ON COLUMN ${t.instances.text}.compensating IS 'Its code is over, and what it completed is undone.';
      COMMENT ON COLUMN ${t.instances.text}.wake_at IS 'From when on it may be claimed; null while owned, ended, or waiting without limit.';
      COMMENT ON COLUMN ${t.instances.text}.version IS 'One more with every change of the row by anybody, from 0, or 1 for an owned start: equal to claims while it was only started and claimed.';
      COMMENT ON COLUMN ${t.instances.text}.created_at IS 'Of one that began anew: when it last did.';
      COMMENT ON COLUMN ${t.instances.text}.history_of IS 'Of an earlier part: the id under which its history is.';

      CREATE TABLE ${t.history.text} (
        recorded_at timestamptz NOT NULL,
        seq integer NOT NULL,
        position integer NOT NULL,
        instance_id text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        call_id text COLLATE "C" NOT NULL,
        data json,
        due_at timestamptz,
        PRIMARY KEY (instance_id, seq)
      );

      CREATE TABLE ${t.workers.text} (
        worker_id text COLLATE "C" PRIMARY KEY,
        service_name text NOT NULL,
        workflow_names text[] COLLATE "C" NOT NULL,
        is_relayer boolean NOT NULL,
        presence text COLLATE "C",
        registered_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      ) WITH (fillfactor = 50);
      COMMENT ON COLUMN ${t.workers.text}.presence IS 'An advisory lock that its process holds while it lives, as advisory:classid:objid.';`;
}
