// The fence: no statement of a worker takes effect unless the worker's row is there, and the row cannot go while one does.
import { LeaseLostError } from '@romancy/core/ports';
import { raw, sql, type Sql } from './sql.js';
import type { TableNames } from './table-names.js';

/**
 * A query to be put into `WITH alive AS MATERIALIZED (…)`, on which everything that writes must depend. One row while the worker lives.
 *
 * FOR KEY SHARE conflicts with the DELETE by which a worker is declared dead, and with nothing else that happens to the row: several
 * statements of one worker go on side by side, and its upkeep (an UPDATE of no key column) is not held up. So, of a write and a
 * reap at once, either the write has the lock first, and the reap waits until it is committed and then releases what is there; or the
 * reap was first, the write waits for it, finds the row gone and does nothing. Without the lock, a statement could look, be overtaken
 * by a reap and a claim elsewhere, and then write all the same.
 *
 * It is always the first lock of its statement: whoever waits here holds nothing that another could wait for.
 *
 * @param condition without which nothing is to be written either; the row is then not locked.
 */
export function aliveRow(tables: TableNames, workerId: Sql | string, condition: Sql = raw('true')): Sql {
  return sql`SELECT w.worker_id FROM ${tables.workers} w WHERE w.worker_id = ${workerId} AND ${condition} FOR KEY SHARE`;
}

/**
 * The same for a plain `INSERT … SELECT … FROM` this: no row is made without the lock. The worker's id is the first parameter.
 */
export function aliveWorker(tables: TableNames): string {
  return `${tables.workers.text} w WHERE w.worker_id = $1 FOR KEY SHARE`;
}

/** The error of a worker whose row is gone. */
export function leaseLost(workerId: string): LeaseLostError {
  return new LeaseLostError({ workerId });
}
