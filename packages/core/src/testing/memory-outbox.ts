// The outbox in memory: events that wait to be sent, stream by stream.
import type { Wakeup } from '../domain/wakeup.js';
import type {
  ClaimedEvent,
  EventResult,
  NewOutboxEvent,
  OutboxFilter,
  OutboxRecord,
  OutboxStore,
} from '../ports/outbox-store.js';
import type { MemoryDatabase, MemoryEvent } from './memory-database.js';
import type { MemorySession } from './memory-session.js';

/** The most wake-ups that are told in one answer. */
const mostTold = 1000;

export function createMemoryOutbox(session: MemorySession): OutboxStore {
  return {
    claim: (request) =>
      session.run((database, now) => {
        database.requireAlive(request.workerId);
        return { events: claimEvents(database, request, now), nextDueAt: outboxDueAt(database), now };
      }),
    settle: ({ workerId, results }) =>
      session.run((database, now) => {
        database.requireAlive(workerId);
        for (const result of results) {
          const event = database.outbox.get(result.eventId);
          if (event?.owner === workerId) settleEvent(database, event, { result, now });
        }
        return { now };
      }),
    list: ({ after, limit, ...filter }) =>
      session.run((database) => {
        const last = after === undefined ? 0 : (database.outbox.get(after)?.number ?? Infinity);
        const found = matching(database, filter).filter(({ number }) => number > last);
        return found.slice(0, limit).map(showEvent);
      }),
    requeue: ({ limit, ...filter }) =>
      session.run((database, now) => {
        const found = matching(database, filter).filter(({ status }) => status === 'failed' || status === 'invalid');
        const requeued = found.slice(0, limit);
        for (const event of requeued) requeue(database, event, now);
        const wakeups = requeued.slice(0, mostTold).map(({ eventId }): Wakeup => ({ kind: 'outbox_pending', eventId }));
        return { requeued: requeued.length, wakeups };
      }),
    purge: ({ limit, ...filter }) =>
      session.run((database) => {
        const found = matching(database, filter).filter(({ status }) => status !== 'sending');
        const purged = found.slice(0, limit);
        for (const event of purged) removeEvent(database, event);
        return { purged: purged.length };
      }),
  };
}

/** Writes it, unless there is one with its id. */
export function writeEvent(database: MemoryDatabase, event: NewOutboxEvent, now: number): void {
  if (database.outbox.has(event.eventId)) return;
  const { eventId, stream, type, source, data } = event;
  const written: MemoryEvent = {
    ...{ eventId, stream, type, source, data },
    number: database.nextNumber(),
    createdAt: now,
    status: 'pending',
    owner: null,
    attempts: 0,
    failedSince: null,
    error: null,
    dueAt: now,
    endedAt: null,
  };
  database.outbox.set(eventId, written);
  enterStream(database, written);
}

/** Hands back what a relayer had that is not there any more. */
export function releaseEvents(database: MemoryDatabase, workerId: string): readonly MemoryEvent[] {
  const released = [...database.streams.values()].flatMap((stream) => stream.filter(({ owner }) => owner === workerId));
  for (const event of released) release(event);
  return released;
}

/** When the next stream of which nobody has anything can go on; null: there is none. */
export function outboxDueAt(database: MemoryDatabase): number | null {
  let earliest: number | null = null;
  for (const stream of database.streams.values()) {
    if (isTaken(stream)) continue;
    const { dueAt } = stream[0]!;
    if (earliest === null || dueAt < earliest) earliest = dueAt;
  }
  return earliest;
}

export function removeEvent(database: MemoryDatabase, event: MemoryEvent): void {
  database.outbox.delete(event.eventId);
  leaveStream(database, event);
}

function claimEvents(
  database: MemoryDatabase,
  { workerId, limit }: { readonly workerId: string; readonly limit: number },
  now: number,
): readonly ClaimedEvent[] {
  const claimed: MemoryEvent[] = [];
  for (const stream of database.streams.values()) {
    if (isTaken(stream)) continue;
    for (const event of stream) {
      // What is not due keeps back what follows, due or not.
      if (event.dueAt > now || claimed.length >= limit) break;
      event.status = 'sending';
      event.owner = workerId;
      claimed.push(event);
    }
  }
  return claimed
    .sort((a, b) => a.number - b.number)
    .map(({ eventId, stream, type, source, data, attempts, failedSince }) => {
      return { eventId, stream, type, source, data, attempts, failedSince };
    });
}

/** Also a later event of it, when an earlier one was requeued meanwhile. */
function isTaken(stream: readonly MemoryEvent[]): boolean {
  return stream.some(({ status }) => status === 'sending');
}

function settleEvent(
  database: MemoryDatabase,
  event: MemoryEvent,
  { result, now }: { readonly result: EventResult; readonly now: number },
): void {
  release(event);
  if (result.type === 'release') return;
  event.attempts++;
  event.error = result.type === 'sent' ? null : result.error;
  if (result.type !== 'sent') event.failedSince ??= now;
  if (result.type === 'retry') {
    event.dueAt = result.dueAt;
    return;
  }
  event.status = result.type;
  event.endedAt = now;
  leaveStream(database, event);
}

function release(event: MemoryEvent): void {
  event.status = 'pending';
  event.owner = null;
}

function requeue(database: MemoryDatabase, event: MemoryEvent, now: number): void {
  release(event);
  event.attempts = 0;
  event.failedSince = null;
  event.error = null;
  event.dueAt = now;
  event.endedAt = null;
  enterStream(database, event);
}

function enterStream(database: MemoryDatabase, event: MemoryEvent): void {
  const stream = database.streams.get(event.stream) ?? [];
  database.streams.set(event.stream, stream);
  let index = stream.length;
  while (index > 0 && stream[index - 1]!.number > event.number) index--;
  stream.splice(index, 0, event);
}

function leaveStream(database: MemoryDatabase, event: MemoryEvent): void {
  const stream = database.streams.get(event.stream) ?? [];
  const index = stream.indexOf(event);
  if (index !== -1) stream.splice(index, 1);
  if (stream.length === 0) database.streams.delete(event.stream);
}

function matching(database: MemoryDatabase, { status, eventIds, type, before }: OutboxFilter): readonly MemoryEvent[] {
  return [...database.outbox.values()].filter(
    (event) =>
      (status === undefined || status.includes(event.status)) &&
      (eventIds === undefined || eventIds.includes(event.eventId)) &&
      (type === undefined || event.type === type) &&
      (before === undefined || event.createdAt < before),
  );
}

function showEvent(event: MemoryEvent): OutboxRecord {
  const { eventId, stream, type, source, data, status, attempts, error, createdAt, endedAt } = event;
  const dueAt = status === 'pending' ? event.dueAt : null;
  return { eventId, stream, type, source, data, status, attempts, error, createdAt, dueAt, endedAt };
}
