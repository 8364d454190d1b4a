// Hands back events that a worker has by a claim of which it never heard.
import type { OutboxStore } from '../ports/outbox-store.js';
import type { StorageHealth } from './storage-health.js';

const pageSize = 1000;

export interface UnknownEvents {
  readonly outbox: OutboxStore;
  readonly workerId: string;
  readonly health: StorageHealth;
  /** Whether the worker knows that it has the event. Must be exact: no claim and no result is in flight. */
  readonly holds: (eventId: string) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Which of the events under way are this worker's own, the storage alone knows: it is told to hand back all that the worker does not know of, and leaves those of
 * others alone.
 * @returns whether there may have been any. Rejects as the storage does, or when `signal` aborts.
 */
export async function releaseUnknown({ outbox, workerId, health, holds, signal }: UnknownEvents): Promise<boolean> {
  const sending = { status: ['sending'], eventIds: undefined, type: undefined, before: undefined, limit: pageSize } as const;
  let isFound = false;
  let after: string | undefined;
  do {
    const page = await health.keepTrying(() => outbox.list({ ...sending, after }), signal);
    const results = page.flatMap(({ eventId }) => (holds(eventId) ? [] : [{ type: 'release', eventId } as const]));
    if (results.length > 0) {
      await health.keepTrying(() => outbox.settle({ workerId, results }), signal);
      isFound = true;
    }
    after = page.length < pageSize ? undefined : page.at(-1)?.eventId;
  } while (after !== undefined);
  return isFound;
}
