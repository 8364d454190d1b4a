// Says what the code did beside what history says, in words that a person can compare.
import type { HistoryEntry, HistoryKind } from '../domain/history.js';

/** What kind of durable call an entry belongs to. */
export type Verb =
  | 'activity'
  | 'sleep'
  | 'wait for event'
  | 'receive'
  | 'value'
  | 'publish'
  | 'send to'
  | 'send event'
  | 'join group'
  | 'leave group'
  | 'members of group'
  | 'subscribe'
  | 'unsubscribe'
  | 'start child'
  | 'result of child'
  | 'compensation'
  | 'recurrence';

const verbs: Readonly<Record<HistoryKind, Verb>> = {
  value: 'value',
  timer_set: 'sleep',
  timer_fired: 'sleep',
  wait_set: 'wait for event',
  event_received: 'wait for event',
  wait_timed_out: 'wait for event',
  receive_set: 'receive',
  message_received: 'receive',
  receive_timed_out: 'receive',
  published: 'publish',
  sent_to: 'send to',
  event_sent: 'send event',
  group_joined: 'join group',
  group_left: 'leave group',
  members_read: 'members of group',
  subscribed: 'subscribe',
  subscribe_refused: 'subscribe',
  unsubscribed: 'unsubscribe',
  child_started: 'start child',
  child_refused: 'start child',
  child_ended: 'result of child',
  activity_completed: 'activity',
  activity_compensable: 'activity',
  activity_failed: 'activity',
  activity_retry: 'activity',
  compensation_begun: 'compensation',
  compensation_completed: 'compensation',
  compensation_failed: 'compensation',
  compensation_retry: 'compensation',
  carried_over: 'recurrence',
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
