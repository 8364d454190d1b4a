// History: the facts recorded about one instance, in the order in which its code came to know them.

/**
 * What an entry records. Entries of the first group are written when the code makes the call, those of the second when an
 * outcome is handed to the code.
 *
 * At the call:
 * - `value`: `now()`, `random()` or `uuid()`; data is the value.
 * - `timer_set`: a sleep began; `dueAt` is its end.
 * - `wait_set`: a wait for an event began; `dueAt` is its timeout, or null; data is what is waited for.
 * - `receive_set`: a wait for a message began; likewise.
 * - `published`, `sent_to`: a message to a channel, to one instance; data is its id.
 * - `event_sent`: an event into the outbox; data is its id.
 * - `group_joined`, `group_left`, `unsubscribed`: data is the name of the group or channel.
 * - `carried_over`: the first entry after a recurrence: data is what the instance was subscribed to.
 *
 * At the outcome:
 * - `activity_completed`: data is the output.
 * - `activity_compensable`: completed, and there is something to undo it; data is `{ activity, input, output }`.
 * - `activity_failed`: for good; data is the error that the code gets.
 * - `activity_retry`: one attempt failed and another follows; data is the error, `dueAt` the time of the next attempt. The code
 *   is told nothing of it.
 * - `timer_fired`: the sleep is over.
 * - `event_received`: data is the event.
 * - `message_received`: data is the message.
 * - `wait_timed_out`, `receive_timed_out`: the wait is over, nothing came.
 * - `subscribed`: data is `{ channel, mode }`. `subscribe_refused`: data is the error.
 * - `members_read`: data is the list of ids.
 * - `child_started`: data is the child's id. `child_refused`: data is the error. `child_ended`: data is how.
 * - `compensation_begun`: the code is over; what was completed is undone from here on; data is what the instance ends as.
 * - `compensation_completed`, `compensation_failed` (for good; data is the error), `compensation_retry` (as `activity_retry`).
 */
export type HistoryKind =
  | 'value'
  | 'timer_set'
  | 'wait_set'
  | 'receive_set'
  | 'published'
  | 'sent_to'
  | 'event_sent'
  | 'group_joined'
  | 'group_left'
  | 'unsubscribed'
  | 'carried_over'
  | 'activity_completed'
  | 'activity_compensable'
  | 'activity_failed'
  | 'activity_retry'
  | 'timer_fired'
  | 'event_received'
  | 'message_received'
  | 'wait_timed_out'
  | 'receive_timed_out'
  | 'subscribed'
  | 'subscribe_refused'
  | 'members_read'
  | 'child_started'
  | 'child_refused'
  | 'child_ended'
  | 'compensation_begun'
  | 'compensation_completed'
  | 'compensation_failed'
  | 'compensation_retry';

/** An entry that the engine hands to the storage. */
export interface NewHistoryEntry {
  readonly instanceId: string;
  /** From 1, ascending within the instance; gaps are allowed. `(instanceId, seq)` is unique. */
  readonly seq: number;
  readonly kind: HistoryKind;
  /** The call's id: its name and a counter per name (`charge:1`), or the id that the code gave it. */
  readonly callId: string;
  /** The call's place in the order of all durable calls of the run, from 0. */
  readonly position: number;
  /** JSON text made by the codec; null when the kind has no data. */
  readonly data: string | null;
  /** Milliseconds since 1970 by the storage's clock; null when the kind has no due time. */
  readonly dueAt: number | null;
}

/** An entry that the storage hands back. */
export interface HistoryEntry extends NewHistoryEntry {
  /** When it was committed: milliseconds since 1970 by the storage's clock. */
  readonly recordedAt: number;
}
