// The parts of statements that write entries of histories.
import type { NewHistoryEntry } from '@romancy/core/ports';
import type { SqlValue } from './sql.js';
import { storedNow } from './sql-time.js';
import type { TableNames } from './table-names.js';

/** For the function of commits. Of all but those instances of which the batch found that they are somebody else's. Entries that are there already stay as they are. */
export function insertEntries(t: TableNames): string {
  return `INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
      SELECT e.instance, e.seq, e.kind, e.call, e.place, e.data, to_timestamp(e.due / 1000), stamp
      FROM unnest(entry_instance, entry_seq, entry_kind, entry_call, entry_position, entry_data, entry_due)
        AS e (instance, seq, kind, call, place, data, due)
      WHERE strangers IS NULL OR NOT e.instance = ANY(strangers)
      ON CONFLICT (instance_id, seq) DO NOTHING`;
}

/**
 * One, for a statement of its own: a violation of uniqueness where it is there already.
 * @param from a relation of one row, or of none where nothing is to be written; `id`: of the instance, an expression; `first`: the number of the first parameter, of those that
 * {@link entryParameters} gives.
 */
export function insertEntry(
  t: TableNames,
  { from, id, first }: { readonly from: string; readonly id: string; readonly first: number },
): string {
  const types = ['integer', 'text', 'text', 'integer', 'json'].map((type, place) => `$${first + place}::${type}`);
  return `INSERT INTO ${t.history.text} (instance_id, seq, kind, call_id, position, data, due_at, recorded_at)
      SELECT ${id}, ${types.join(', ')}, to_timestamp($${first + types.length}::float8 / 1000), ${storedNow.text} FROM ${from}`;
}

export function entryParameters({ seq, kind, callId, position, data, dueAt }: NewHistoryEntry): readonly SqlValue[] {
  return [seq, kind, callId, position, data, dueAt];
}
