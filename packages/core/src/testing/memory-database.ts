// The state that memory storages share: what a database would hold, as plain maps.
import { LeaseLostError } from '../domain/errors.js';
import type { HistoryEntry } from '../domain/history.js';
import type { InstanceStatus } from '../domain/instance.js';

/** A worker's row: it is alive as long as the row is there. */
export interface MemoryWorker {
  readonly workerId: string;
  readonly serviceName: string;
  readonly workflowNames: readonly string[];
  /** Milliseconds since 1970; a reaper may take the row from then on. */
  leaseEndsAt: number;
  /** The sign of its process that it named and that was in {@link MemoryDatabase.presences} then. */
  presence: string | null;
}

/** A piece of mail that waits for its instance. */
export interface MemoryMail {
  /** Ascending in the order of arrival, over the whole database. */
  readonly number: number;
  readonly channel: string;
  readonly data: string;
}

/** An instance with all that belongs to it. */
export interface MemoryInstance {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly input: string;
  readonly startToken: string;
  readonly createdAt: number;
  status: InstanceStatus;
  output: string | null;
  error: string | null;
  cancelRequested: boolean;
  cancelReason: string | null;
  owner: string | null;
  wakeAt: number | null;
  finishedAt: number | null;
  /** The number of its latest claim, 0 before the first; an owned start counts. */
  claims: number;
  /** Something happened from outside that the owner has not looked at yet. */
  attention: boolean;
  /** Ascending by `seq`. */
  readonly history: HistoryEntry[];
  readonly subscriptions: Set<string>;
  /** Oldest first. */
  readonly mail: MemoryMail[];
}

/**
 * A database in memory. Storages that are created on the same one compete as processes on one server do. Its members may be looked
 * at by tests, and are changed by storages alone.
 */
export class MemoryDatabase {
  readonly workers = new Map<string, MemoryWorker>();
  readonly instances = new Map<string, MemoryInstance>();
  /** Those of the instances that have not ended, so that no cost grows with finished work. */
  readonly open = new Set<MemoryInstance>();
  /** The events that were delivered, as `[source, eventId]` in JSON. */
  readonly events = new Set<string>();
  /** What activities have committed through `memoryTransaction`. */
  readonly values = new Map<string, unknown>();
  /** The signs of processes that stand at this moment, as an advisory lock does on PostgreSQL. For tests to change. */
  readonly presences = new Set<string>();
  #lastMail = 0;

  /** The number of the next piece of mail. */
  nextMailNumber(): number {
    return ++this.#lastMail;
  }

  /** @throws LeaseLostError when the worker has no row, so that whatever called this changes nothing. */
  requireAlive(workerId: string): void {
    if (!this.workers.has(workerId)) throw new LeaseLostError({ workerId });
  }

  /** The instance if it is there and this worker executes it. */
  owned(instanceId: string, workerId: string): MemoryInstance | undefined {
    const instance = this.instances.get(instanceId);
    return instance?.owner === workerId ? instance : undefined;
  }
}

/** An empty database, to be handed to several storages. */
export function createMemoryDatabase(): MemoryDatabase {
  return new MemoryDatabase();
}

/** Lets an instance that nobody owns be claimed from `now` on, and not later than it could have been anyhow. */
export function makeClaimable(instance: MemoryInstance, now: number): void {
  instance.wakeAt = instance.wakeAt === null ? now : Math.min(instance.wakeAt, now);
}
