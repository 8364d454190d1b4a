// What an instance of a workflow is, and the statuses it goes through.

/**
 * - `pending`: may be claimed as soon as a worker has room.
 * - `running`: a process owns it and executes it.
 * - `waiting_for_timer`, `waiting_for_event`, `waiting_for_retry`: put away; costs no memory, connection or lock.
 * - `stalled`: it cannot go on: its code does not fit its history, or the database refuses what it recorded. Nothing was overwritten. Its
 *   `error` says why. Tried again by each worker that starts, and once a minute.
 * - `completed`, `failed`, `cancelled`: ended; never runs again.
 */
export type InstanceStatus = WaitingStatus | FinalStatus | 'pending' | 'running' | 'stalled';

/** Put away until something comes. With several waits open, the one shown is that of the oldest open call. */
export type WaitingStatus = 'waiting_for_timer' | 'waiting_for_event' | 'waiting_for_retry';

/** The ends that an instance can come to. */
export type FinalStatus = 'completed' | 'failed' | 'cancelled';

export const instanceStatuses: readonly InstanceStatus[] = [
  'pending',
  'running',
  'waiting_for_timer',
  'waiting_for_event',
  'waiting_for_retry',
  'stalled',
  'completed',
  'failed',
  'cancelled',
];

/** Whether an instance of this status never runs again. */
export function isFinal(status: InstanceStatus): status is FinalStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}
