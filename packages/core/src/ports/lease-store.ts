// The part of the storage port by which a process shows that it lives and the death of others is found.

/** A worker that was declared dead, and what it left. */
export interface ReapedWorker {
  readonly workerId: string;
  /** How many of its instances can be claimed by others now. */
  readonly released: number;
}

/**
 * One row per process start. A worker lives as long as its row is there and may write only while it is: every transition that
 * takes a `workerId` checks the row in the same transaction, in a way that conflicts with {@link LeaseStore.reap}
 * (PostgreSQL: `FOR KEY SHARE` against `DELETE`), so that a worker is either seen alive by a commit or was dead before it.
 */
export interface LeaseStore {
  /**
   * Writes the worker's row. Instances `stalled` in one of `workflowNames` become claimable, since this process may bring the code
   * that fits them. The same `workerId` again: the row is renewed.
   */
  register(worker: {
    readonly workerId: string;
    readonly serviceName: string;
    readonly leaseMs: number;
    readonly workflowNames: readonly string[];
  }): Promise<{ readonly now: number }>;
  /** Pushes the end of the lease to now + `leaseMs`. `alive` false: the row is gone, the worker was declared dead. */
  heartbeat(worker: {
    readonly workerId: string;
    readonly leaseMs: number;
  }): Promise<{ readonly alive: boolean; readonly now: number }>;
  /**
   * Declares dead every worker other than `workerId` whose lease has run out or whose process is known to be gone, removes its row,
   * and makes all instances that it owned claimable, each in the same transaction as its worker's removal. Two reapers at once: each
   * dead worker is reported by one.
   */
  reap(request: { readonly workerId: string }): Promise<{ readonly reaped: readonly ReapedWorker[]; readonly now: number }>;
  /** A clean stop: like being reaped, by oneself. The row may be gone already. */
  retire(worker: { readonly workerId: string }): Promise<{ readonly released: number }>;
}
