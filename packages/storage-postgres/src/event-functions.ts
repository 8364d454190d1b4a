// The function in the database that writes events into the outbox, with the progress that sends them.
import { createInnerFunction } from './create-function.js';
import { lockKey } from './lock-keys.js';
import type { TableNames } from './table-names.js';

/*
 * An event that is the first unsent one of its stream must be marked as such, or no relayer would ever look at it. Whether it is depends on the events
 * before it, which a relayer may be ending at the same moment. So writers hold the lock of the stream, shared (several write at once, and each may then
 * take its own for the first: one mark too many does no harm), and who ends events holds it alone: either the writer sees that nothing is before
 * his event, or the one who ends what was before it sees the event, and marks it.
 *
 * This lock is the last that a transaction takes; it waits for nobody but for those who end events, who wait for nothing besides such locks.
 *
 * The numbers of two events that are written at the same moment may be committed in the other order. Nobody can tell which of them came first.
 */

/** To be put into a migration. */
export function createEventFunctions(t: TableNames): string {
  return createInnerFunction(t, {
    name: 'write_events_1',
    parameters: 'events json, written jsonb, stamp timestamptz',
    returns: 'RETURNS void',
    body: `
DECLARE
  key bigint;
BEGIN
  FOR key IN SELECT DISTINCT ${lockKey(t, 'stream', 'e.stream')} AS hash FROM json_to_recordset(events) AS e (stream text) ORDER BY hash LOOP
    PERFORM pg_advisory_xact_lock_shared(key);
  END LOOP;
  -- Of several of one stream in this list, all seem to be the first.
  INSERT INTO ${t.outbox.text} (event_id, stream, type, source, data, status, may_lead, due_at, created_at)
  SELECT e.id, e.stream, e.type, e.source, e.data::json, 'pending', (
      SELECT o.number FROM ${t.outbox.text} o WHERE o.stream = e.stream AND o.status IN ('pending', 'sending') ORDER BY o.number LIMIT 1
    ) IS NULL, stamp, stamp
  FROM ROWS FROM (json_to_recordset(events) AS (gate text, id text, stream text, type text, source text, data text))
    WITH ORDINALITY AS e (gate, id, stream, type, source, data, place)
  WHERE e.gate IS NULL OR written ? e.gate
  ORDER BY e.place
  ON CONFLICT (event_id) DO NOTHING;
END
`,
  });
}
