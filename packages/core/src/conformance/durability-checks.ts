// What must be true of every instance after processes died: nothing committed was lost, run again or overwritten.
import { expect } from 'vitest';
import type { HistoryKind } from '../domain/history.js';
import type { HistoryEntry } from '../ports/index.js';
import type { Note } from './durability-plan.js';

export type Histories = ReadonlyMap<string, readonly HistoryEntry[]>;

/** What a life of a process must not do: given the histories as they were when it began, and all that was noted in it. */
export function expectNothingCommittedRunsAgain(before: Histories, notes: readonly Note[]): void {
  const again = notes.filter((note) => {
    const entries = (before.get(note.instanceId) ?? []).filter(({ callId }) => callId === note.activityId);
    const isOver = entries.some(({ kind }) => isOutcomeOfAttempts(kind));
    const failed = entries.filter(({ kind }) => isRetry(kind)).length;
    return isOver || note.attempt <= failed;
  });
  expect(again, 'attempts that were made again, though their outcome was committed').toEqual([]);
}

function isOutcomeOfAttempts(kind: HistoryKind): boolean {
  return (
    kind === 'activity_completed' ||
    kind === 'activity_compensable' ||
    kind === 'activity_failed' ||
    kind === 'compensation_completed' ||
    kind === 'compensation_failed'
  );
}

function isRetry(kind: HistoryKind): boolean {
  return kind === 'activity_retry' || kind === 'compensation_retry';
}

/** Within one life, each attempt is made once: an instance is never run twice at a time. */
export function expectOneAttemptEach(notes: readonly Note[]): void {
  const counts = new Map<string, number>();
  for (const note of notes) {
    const key = JSON.stringify(note);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(
    [...counts].filter(([, count]) => count > 1),
    'attempts that one process made twice',
  ).toEqual([]);
}

/** Histories only grow: what was committed stays as it was, entry by entry, times included. */
export function expectGrown(before: Histories, after: Histories): void {
  for (const [instanceId, entries] of before) {
    expect(after.get(instanceId)?.slice(0, entries.length), `the history of ${instanceId}`).toEqual(entries);
  }
}

/** Each call has one outcome, and numbers ascend. */
export function expectSound(histories: Histories): void {
  for (const [instanceId, entries] of histories) {
    const outcomes = entries.filter(({ kind }) => !isRetry(kind)).map(({ kind, callId }) => `${kind} ${callId}`);
    expect(new Set(outcomes).size, `different entries of ${instanceId} among ${outcomes.join(', ')}`).toBe(outcomes.length);
    const positions = entries.map(({ seq }) => seq);
    expect(positions, `the order of ${instanceId}`).toEqual([...positions].sort((a, b) => a - b));
  }
}

/** What a history says apart from times, numbers and the order of what ran side by side. */
export function gist(history: readonly HistoryEntry[]): string[] {
  return history.map(({ position, callId, kind }) => `${position} ${callId} ${kind}`).sort();
}

/** The rows that must be there: one for each activity of that name that has completed. */
export function expectedRows(histories: Histories, isRow: (callId: string) => boolean): string[] {
  const keys: string[] = [];
  for (const [instanceId, entries] of histories) {
    for (const { kind, callId } of entries) {
      if ((kind === 'activity_completed' || kind === 'compensation_completed') && isRow(callId))
        keys.push(`${instanceId}/${callId}`);
    }
  }
  return keys.sort();
}
