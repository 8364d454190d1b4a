// The statement within the function of commits that writes entries of histories.
import type { TableNames } from './table-names.js';

/** Of all but those instances of which the batch found that they are somebody else's. Entries that are there already stay as they are. */
export function insertEntries(t: TableNames): string {
  return `INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
      SELECT e.instance, e.seq, e.kind, e.call, e.place, e.data, to_timestamp(e.due / 1000), stamp
      FROM unnest(entry_instance, entry_seq, entry_kind, entry_call, entry_position, entry_data, entry_due)
        AS e (instance, seq, kind, call, place, data, due)
      WHERE strangers IS NULL OR NOT e.instance = ANY(strangers)
      ON CONFLICT (instance_id, seq) DO NOTHING`;
}
