// Makes somebody look at an instance: its owner, or whoever claims it.
import type { WriteScope } from './write-scope.js';

/** An owner finds the attention; without one the instance can be claimed at once, and not later than it could have been anyhow. */
export function drawAttention({ connection, tables, now }: WriteScope, id: number): void {
  connection.run(
    `UPDATE ${tables.instances}
      SET attention = 1, wake_at = CASE WHEN owner IS NULL THEN min(ifnull(wake_at, ?), ?) END WHERE id = ?`,
    ...[now, now, id],
  );
}
