// Says what the code did beside what history says, in words that a person can compare.
import type { HistoryEntry, HistoryKind } from '../domain/history.js';

/** What kind of durable call an entry belongs to. */
export type Verb = 'activity' | 'sleep' | 'wait for event' | 'value';

const verbs: Readonly<Record<HistoryKind, Verb>> = {
  value: 'value',
  timer_set: 'sleep',
  timer_fired: 'sleep',
  wait_set: 'wait for event',
  event_received: 'wait for event',
  wait_timed_out: 'wait for event',
  activity_completed: 'activity',
  activity_failed: 'activity',
  activity_retry: 'activity',
};

export function verbOf(kind: HistoryKind): Verb {
  return verbs[kind];
}

/** `activity charge:1`. */
export function describeCall(call: { readonly verb: Verb; readonly id: string }): string {
  return `${call.verb} ${call.id}`;
}

/** `activity charge:1 (activity_completed, entry 7)`. */
export function describeEntry(entry: HistoryEntry): string {
  return `${verbs[entry.kind]} ${entry.callId} (${entry.kind}, entry ${entry.seq})`;
}
