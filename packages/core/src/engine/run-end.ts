// How an execution of an instance can end for the process around it.
import type { ClaimedRun } from '../ports/claim.js';
import type { FinishedInstance } from '../ports/instance-store.js';

/** How an execution left this process's memory. */
export type RunEnd =
  | { readonly type: 'finished'; readonly finished: FinishedInstance }
  /** Put away, or handed back; `wakeAt` null: until something comes. */
  | { readonly type: 'parked' | 'released'; readonly wakeAt: number | null }
  /** It begins anew: with `next` here, else wherever there is room. */
  | { readonly type: 'recurred'; readonly next: ClaimedRun | null }
  | { readonly type: 'stalled'; readonly error: Error }
  /** Forgotten: this worker may write no more, or the process ends. */
  | { readonly type: 'dropped'; readonly reason: Error };
