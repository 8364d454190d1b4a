// The table of events on their way out.
import type { TableNames } from './table-names.js';

/*
 * `may_lead`: it may be the first unsent event of its stream. The first always has it; so may others, of which claims find that they are not
 * the first after all. Who claims looks only at these, so that a million events behind one that is tried again in an hour cost nothing.
 */
export function outboxTable(t: TableNames): string {
  return `
      CREATE TABLE ${t.outbox.text} (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id text COLLATE "C" NOT NULL UNIQUE,
        stream text COLLATE "C" NOT NULL,
        type text COLLATE "C" NOT NULL,
        source text COLLATE "C" NOT NULL,
        data json NOT NULL,
        status text COLLATE "C" NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        may_lead boolean NOT NULL,
        owner text COLLATE "C",
        due_at timestamptz NOT NULL,
        failed_since timestamptz,
        error json,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        CHECK ((owner IS NOT NULL) = (status = 'sending'))
      ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
      CREATE INDEX outbox_due ON ${t.outbox.text} (due_at, number) WHERE status = 'pending' AND may_lead;
      CREATE INDEX outbox_stream ON ${t.outbox.text} (stream, number) WHERE status IN ('pending', 'sending');
      CREATE INDEX outbox_sending ON ${t.outbox.text} (stream) WHERE status = 'sending';
      CREATE INDEX outbox_owner ON ${t.outbox.text} (owner) WHERE owner IS NOT NULL;
      CREATE INDEX outbox_given_up ON ${t.outbox.text} (number) WHERE status IN ('failed', 'invalid');
      CREATE INDEX outbox_sent ON ${t.outbox.text} (ended_at) WHERE status = 'sent';
      COMMENT ON COLUMN ${t.outbox.text}.may_lead IS 'It may be the first unsent event of its stream; the first always has it.';`;
}
