// Makes somebody look at an instance: its owner, or whoever claims it.
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

/** An owner finds the attention; without one the instance can be claimed at once, and not later than it could have been anyhow. */
export function drawAttention(
  connection: SqliteConnection,
  { tables, now, id }: { readonly tables: TableNames; readonly now: number; readonly id: number },
): void {
  connection.run(
    `UPDATE ${tables.instances}
      SET attention = 1, wake_at = CASE WHEN owner IS NULL THEN min(ifnull(wake_at, ?), ?) END WHERE id = ?`,
    ...[now, now, id],
  );
}
