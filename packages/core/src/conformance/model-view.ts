// What the two sides of the model test compare: answers and state without times, ids that storages make up, and orders that are free.
import { isFinal, type HistoryEntry, type InstanceRecord, type Mail, type OutboxRecord } from '../ports/index.js';
import type { When } from './model-commands.js';

/** A time, seen from now. */
export function whenIs(at: number | null, now: number): When {
  return at === null ? 'never' : at <= now ? 'past' : 'later';
}

export function viewRecord(record: InstanceRecord | undefined, now: number): unknown {
  if (record === undefined) return 'none';
  const { createdAt: _, finishedAt, wakeAt, ...rest } = record;
  const wake = whenIs(wakeAt, now);
  // What is due may be shown as pending or as what it was before: a storage need not touch what nobody has claimed yet.
  const due = rest.owner === null && wake === 'past' && !isFinal(rest.status);
  return { ...rest, ...(due ? { status: 'due', error: 'either' } : {}), wake, finished: finishedAt !== null };
}

export function viewHistory(history: readonly HistoryEntry[], now: number): unknown {
  return history.map(({ recordedAt: _, dueAt, ...entry }) => ({ ...entry, due: whenIs(dueAt, now) }));
}

export function viewMail(mail: readonly Mail[]): unknown {
  return mail.map(({ topic, data, isQueued }) => `${topic} ${data}${isQueued ? ' queued' : ''}`);
}

export function viewEvent({ createdAt: _, dueAt, endedAt, ...event }: OutboxRecord, now: number): unknown {
  return { ...event, due: whenIs(dueAt, now), hasEnded: endedAt !== null };
}

export function byId<T extends { readonly instanceId: string }>(rows: readonly T[]): readonly T[] {
  return [...rows].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
}
