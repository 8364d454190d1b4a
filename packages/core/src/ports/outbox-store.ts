// The part of the storage port by which events leave: written with the progress that sends them, relayed from here.
import type { OutboxStatus } from '../domain/outbox.js';
import type { WithWakeups } from './with-wakeups.js';

/** An event to be written into the outbox. */
export interface NewOutboxEvent {
  /** Unique: a second one with this id is not written. */
  readonly eventId: string;
  /** Events of one stream are sent in the order in which they were written. */
  readonly stream: string;
  readonly type: string;
  readonly source: string;
  /** JSON text made by the codec: the whole event. */
  readonly data: string;
}

export interface ClaimedEvent extends NewOutboxEvent {
  /** How many attempts were recorded before. */
  readonly attempts: number;
  /** When the first attempt failed: milliseconds since 1970 by the storage's clock; null: none has. */
  readonly failedSince: number | null;
}

/** What became of an event that a relayer had. */
export type EventResult =
  | { readonly type: 'sent'; readonly eventId: string }
  /** To be sent again, from `dueAt` on; until then the rest of its stream waits. */
  | { readonly type: 'retry'; readonly eventId: string; readonly dueAt: number; readonly error: string }
  /** Kept and left alone; its stream goes on. */
  | { readonly type: 'failed' | 'invalid'; readonly eventId: string; readonly error: string }
  /** Handed back untried. */
  | { readonly type: 'release'; readonly eventId: string };

/** An event as seen from outside. */
export interface OutboxRecord extends NewOutboxEvent {
  readonly status: OutboxStatus;
  readonly attempts: number;
  /** JSON text of what the last attempt failed with; null when there was none, and for what was sent. */
  readonly error: string | null;
  readonly createdAt: number;
  /** When it is to be sent (again); null unless pending. */
  readonly dueAt: number | null;
  /** When it was sent, or given up; null before. */
  readonly endedAt: number | null;
}

/** Which events are meant; every member that is not undefined must hold. */
export interface OutboxFilter {
  readonly status: readonly OutboxStatus[] | undefined;
  readonly eventIds: readonly string[] | undefined;
  readonly type: string | undefined;
  /** Written before: milliseconds since 1970. */
  readonly before: number | undefined;
}

/**
 * A relayer is a worker: what it has claimed is handed back when it is reaped or retires, as instances are. Members that take a `workerId` reject
 * with LeaseLostError, and change nothing, when that worker is not alive.
 */
export interface OutboxStore {
  /**
   * Takes events that are due. Of each stream only what comes next: its oldest unsent event, if nobody has that and it is due, and as
   * many of those that follow it as fit. So two relayers never have events of one stream at the same time, and no event overtakes an earlier one of its
   * stream that still is to be sent: a stream of which somebody has an event is left alone, also when an earlier one was requeued. Concurrent claims do not wait for each other.
   */
  claim(request: { readonly workerId: string; readonly limit: number }): Promise<{
    /** In the order in which they were written. */
    readonly events: readonly ClaimedEvent[];
    /**
     * When the next stream of which nobody has an event can go on: the due time of its oldest unsent event (it may be past when `limit` was
     * reached); null: there is none. What waits behind an event that somebody has does not count.
     */
    readonly nextDueAt: number | null;
    readonly now: number;
  }>;
  /** Records what became of events that this worker has; all but `release` count as an attempt. Others, and those that it has no more, are left alone. */
  settle(request: { readonly workerId: string; readonly results: readonly EventResult[] }): Promise<{ readonly now: number }>;
  /** Oldest first, in the order in which they were written. `after`: the id of the last one of the page before. */
  list(request: OutboxFilter & { readonly limit: number; readonly after: string | undefined }): Promise<readonly OutboxRecord[]>;
  /**
   * Makes `failed` and `invalid` events pending again, due at once, without attempts and errors, in their old place. Many are taken some hundreds at a time:
   * when this rejects, those before stay as they are, and the next call goes on behind them.
   */
  requeue(request: OutboxFilter & { readonly limit: number }): Promise<WithWakeups & { readonly requeued: number }>;
  /** Removes events that are not `sending`. */
  purge(request: OutboxFilter & { readonly limit: number }): Promise<{ readonly purged: number }>;
}
