// Histories in memory: entries in their places, each number once.
import type { HistoryEntry, NewHistoryEntry } from '../domain/history.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';

/**
 * Adds an entry in its place. One with its number that is there already stays as it is.
 * @returns whether it was added.
 */
export function appendEntry(database: MemoryDatabase, entry: NewHistoryEntry, now: number): boolean {
  const history = database.instances.get(entry.instanceId)?.history;
  if (history === undefined || hasEntry(database, entry)) return false;
  let place = history.length;
  while (place > 0 && history[place - 1]!.seq > entry.seq) place--;
  history.splice(place, 0, { ...entry, recordedAt: now });
  return true;
}

/** Whether the instance has an entry of that number, in whichever of its parts. */
export function hasEntry(database: MemoryDatabase, { instanceId, seq }: Pick<NewHistoryEntry, 'instanceId' | 'seq'>): boolean {
  const history = database.instances.get(instanceId)?.history ?? [];
  // From the end, where new entries belong.
  let place = history.length - 1;
  while (place >= 0 && history[place]!.seq > seq) place--;
  return history[place]?.seq === seq;
}

/** Copies of the entries of that part of a history which is this row's own, after `afterSeq`. */
export function readHistory(
  instance: MemoryInstance | undefined,
  { afterSeq, limit }: { readonly afterSeq: number; readonly limit: number },
): readonly HistoryEntry[] {
  if (instance === undefined) return [];
  const { history, historyStart, historyEnd } = instance;
  const start = Math.max(afterSeq, historyStart);
  // From the end: what is asked for is mostly late.
  let first = history.length;
  while (first > 0 && history[first - 1]!.seq > start) first--;
  return history
    .slice(first, first + limit)
    .filter(({ seq }) => seq <= historyEnd)
    .map((entry) => ({ ...entry, instanceId: instance.instanceId }));
}
