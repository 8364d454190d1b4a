// Retention in memory: removes what nobody needs any more.
import { isFinal } from '../domain/instance.js';
import type { RetentionRequest, RetentionResult, RetentionStore } from '../ports/retention-store.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';
import { removeEvent } from './memory-outbox.js';
import type { MemorySession } from './memory-session.js';
import { dropIfEmpty } from './memory-topics.js';

/** For so long after it was asked for, a mode stays, whoever is subscribed. */
const day = 86_400_000;

/** How many went, and whether there are more. */
interface Purged {
  readonly count: number;
  readonly more: boolean;
}

export function createMemoryRetention(session: MemorySession): RetentionStore {
  return {
    purge: (request) =>
      session.run((database, now): RetentionResult => {
        const instances = purgeInstances(database, request);
        const sentEvents = purgeSent(database, request);
        const seenEvents = purgeSeen(database, request);
        const queuedMessages = purgeQueued(database, request);
        forgetModes(database, now);
        const parts = [instances, sentEvents, seenEvents, queuedMessages];
        return {
          instances: instances.count,
          sentEvents: sentEvents.count,
          seenEvents: seenEvents.count,
          queuedMessages: queuedMessages.count,
          more: parts.some(({ more }) => more),
        };
      }),
  };
}

function purgeInstances(database: MemoryDatabase, { instances: until, limit }: RetentionRequest): Purged {
  const latest = Math.max(...Object.values(until).map((time) => time ?? -Infinity));
  let rows = 0;
  let count = 0;
  for (const instance of database.ended) {
    // In the order in which they ended: what follows is no older.
    if (instance.finishedAt! >= latest) break;
    if (!mayGo(instance, until)) continue;
    const itsRows = 1 + partOf(instance).length;
    if (count > 0 && rows + itsRows > limit) return { count, more: true };
    rows += itsRows;
    count++;
    removeInstance(database, instance);
    if (rows >= limit) return { count, more: true };
  }
  return { count, more: false };
}

function mayGo({ status, finishedAt }: MemoryInstance, until: RetentionRequest['instances']): boolean {
  return isFinal(status) && finishedAt! < (until[status] ?? -Infinity);
}

function removeInstance(database: MemoryDatabase, instance: MemoryInstance): void {
  const part = partOf(instance);
  if (part.length > 0) instance.history.splice(instance.history.indexOf(part[0]!), part.length);
  database.ended.delete(instance);
  database.instances.delete(instance.instanceId);
}

function partOf({ history, historyStart, historyEnd }: MemoryInstance): MemoryInstance['history'] {
  return history.filter(({ seq }) => seq > historyStart && seq <= historyEnd);
}

function purgeSent(database: MemoryDatabase, { sentEvents: until, limit }: RetentionRequest): Purged {
  const old = [...database.outbox.values()].filter(
    ({ status, endedAt }) => until !== null && status === 'sent' && endedAt! < until,
  );
  for (const event of old.slice(0, limit)) removeEvent(database, event);
  return { count: Math.min(old.length, limit), more: old.length >= limit };
}

function purgeSeen(database: MemoryDatabase, { seenEvents: until, limit }: RetentionRequest): Purged {
  let count = 0;
  for (const [identity, seenAt] of database.events) {
    if (until === null || seenAt >= until || count >= limit) break;
    database.events.delete(identity);
    count++;
  }
  return { count, more: count >= limit };
}

function purgeQueued(database: MemoryDatabase, request: RetentionRequest): Purged {
  const { queuedMessages: until, mostQueued, limit } = request;
  let count = 0;
  for (const topic of database.topics.values()) {
    if (topic.subscribers.size > 0) continue;
    const { queue } = topic;
    const isOld = (index: number): boolean => until !== null && queue[index]!.queuedAt < until;
    while (queue.length > 0 && count < limit && (queue.length > mostQueued || isOld(0))) {
      queue.shift();
      count++;
    }
    dropIfEmpty(database, topic);
  }
  return { count, more: count >= limit };
}

function forgetModes(database: MemoryDatabase, now: number): void {
  for (const topic of database.topics.values()) {
    if (topic.subscribers.size > 0 || topic.queue.length > 0 || topic.fixedAt > now - day) continue;
    topic.mode = null;
    dropIfEmpty(database, topic);
  }
}
