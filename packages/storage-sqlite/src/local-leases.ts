// The leases of the workers that were registered through this storage, and how time without the write lock is not held against anyone.
import type { SqliteConnection } from './sqlite-connection.js';
import type { TableNames } from './table-names.js';

/** One app registers one worker at a time; after it was declared dead, another. */
export class LocalLeases {
  readonly #leaseMs = new Map<string, number>();

  remember(workerId: string, leaseMs: number): void {
    this.#leaseMs.set(workerId, leaseMs);
  }

  forget(workerId: string): void {
    this.#leaseMs.delete(workerId);
  }

  /**
   * To be called as the last thing in a transaction that has kept the write lock for `heldMs`. Nobody could renew a lease meanwhile, in
   * any process, so that all end later by that much; those of this process are renewed, for it is alive. Were this done after the
   * transaction, a reaper of another process could have the lock in between, and would find everybody's lease run out.
   */
  makeUp(
    connection: SqliteConnection,
    { tables, now, heldMs }: { readonly tables: TableNames; readonly now: number; readonly heldMs: number },
  ): void {
    connection.run(`UPDATE ${tables.workers} SET lease_ends_at = lease_ends_at + ?`, Math.ceil(heldMs));
    for (const [workerId, leaseMs] of this.#leaseMs) {
      connection.run(`UPDATE ${tables.workers} SET lease_ends_at = ? WHERE worker_id = ?`, now + leaseMs, workerId);
    }
  }
}
