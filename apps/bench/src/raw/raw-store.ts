// What durable code needs of a database when it is written by hand, without a library.

/**
 * The straightforward way: one row per instance, one row per step, and a commit for each of them before the code goes on.
 *
 * Why the comparison is fair:
 * - It writes what must be written and nothing else: no owner, no lease, no fence, no signals, no retries. If the process dies, the
 *   rows are there; finding and resuming them would be further work, which Romancy does and this does not.
 * - It commits as often as one workflow alone does on Romancy: start, each step, and the last step together with the end.
 * - It uses the driver as one should: prepared statements, one round trip per commit, a pool of as many connections as there are
 *   workflows at once, up to 16.
 * - Its tables have a primary key each and no other index.
 * - The payloads are the same, and so is the durability: both sides flush each commit to the disk.
 */
export interface RawStore {
  /** A new instance. */
  start(instanceId: string, input: string): Promise<void>;
  /** The result of one step. */
  step(row: RawStep): Promise<void>;
  /** The result of the last step and the end of the instance, in one transaction. */
  lastStep(row: RawStep, output: string): Promise<void>;
  /** That the instance is cancelled, if it has not ended. */
  cancel(instanceId: string): Promise<void>;
  /** All results of one instance, in their order. */
  history(instanceId: string): Promise<readonly string[]>;
  /** A timer, due at that time (milliseconds since 1970). */
  setTimer(instanceId: string, dueAt: number): Promise<void>;
  /** Takes note that the timer has fired. */
  fireTimer(instanceId: string): Promise<void>;
  close(): Promise<void>;
}

export interface RawStep {
  readonly instanceId: string;
  /** From 1. */
  readonly seq: number;
  readonly name: string;
  readonly data: string;
}
