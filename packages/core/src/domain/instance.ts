// What an instance of a workflow is, and the statuses it goes through.

/**
 * - `pending`: may be claimed as soon as a worker has room.
 * - `running`: a process owns it and executes it.
 * - `waiting_for_timer`, `waiting_for_event`, `waiting_for_message`, `waiting_for_child`, `waiting_for_retry`: put away; costs no memory,
 *   connection or lock.
 * - `compensating`: its code is over, by an error or a cancellation, and what it completed is being undone.
 * - `stalled`: it cannot go on: its code does not fit its history, or the database refuses what it recorded. Nothing was overwritten. Its
 *   `error` says why. Tried again by each worker that starts, and once a minute.
 * - `completed`, `failed`, `cancelled`: ended; never runs again.
 * - `recurred`: an earlier part of an instance that began anew with another input. It is kept under an id of its own; never runs again.
 */
export type InstanceStatus = WaitingStatus | FinalStatus | 'pending' | 'running' | 'stalled';

/** Put away until something comes. With several waits open, the one shown is that of the oldest open call. */
export type WaitingStatus =
  'waiting_for_timer' | 'waiting_for_event' | 'waiting_for_message' | 'waiting_for_child' | 'waiting_for_retry' | 'compensating';

/** The ends that a run can bring its instance to. */
export type EndStatus = 'completed' | 'failed' | 'cancelled';

/** The statuses of what never runs again. */
export type FinalStatus = EndStatus | 'recurred';

export const instanceStatuses: readonly InstanceStatus[] = [
  'pending',
  'running',
  'waiting_for_timer',
  'waiting_for_event',
  'waiting_for_message',
  'waiting_for_child',
  'waiting_for_retry',
  'compensating',
  'stalled',
  'completed',
  'failed',
  'cancelled',
  'recurred',
];

/** Whether an instance of this status never runs again. */
export function isFinal(status: InstanceStatus): status is FinalStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled' || status === 'recurred';
}
