// How a run leaves the process that owned it.
import type { NewHistoryEntry } from '../domain/history.js';
import type { EndStatus, WaitingStatus } from '../domain/instance.js';
import type { CancelOrder } from './effect.js';
import type { OutgoingMessage } from './message-store.js';
import type { NewSubscription } from './subscription.js';

/**
 * How a run leaves the process that owned it. Each is one update of the instance's row, on the condition that this worker owns it by
 * the claim that the settlement names.
 *
 * - `park`: put away with an open wait. Refused when the instance has attention (see {@link RunSignals}).
 * - `release`: handed back, claimable at once (`wakeAt` null) or from `wakeAt` on. Never refused.
 * - `stall`: status `stalled`, `error` kept in view, claimable from `wakeAt` on. Never refused.
 * - `finish`: ended. `completed` and `failed` are refused when a cancellation was requested. With the row go the instance's
 *   mail, subscriptions, memberships and seeks; mail that it got from the queue of a `competing` topic goes back there, in its old place.
 * - `recur`: begins anew with another input, under the same id, so whoever knows the id, and all that is subscribed, joined and
 *   unread, stays as it is, but for its seeks, which end, and what it got by them and did not take, which goes back. What was goes into a row of its own with the status `recurred`. Refused when a cancellation was requested.
 */
export type Settlement = SettledClaim &
  (
    | { readonly type: 'park'; readonly status: WaitingStatus; readonly wakeAt: number | null }
    | { readonly type: 'release'; readonly wakeAt: number | null }
    | { readonly type: 'stall'; readonly wakeAt: number; readonly error: string }
    | {
        readonly type: 'finish';
        readonly status: EndStatus;
        /** JSON text; null unless completed. */
        readonly output: string | null;
        /** JSON text of the error; null unless failed. */
        readonly error: string | null;
        /** JSON text: the compensations that failed for good. Default: none did. */
        readonly compensationFailures?: string;
        /** Sent with the end, unless it is refused: its parent's mail. Default: nothing. */
        readonly messages?: readonly OutgoingMessage[];
        /** Children whose cancellation is asked for with the end, unless it is refused. Those that have ended are left alone. Default: none. */
        readonly cancels?: readonly CancelOrder[];
      }
    | {
        readonly type: 'recur';
        /**
         * The id of the row of what was. It gets the input, the times and the history up to here of the instance as it is, and ends now; what
         * begins is created now. When the id is
         * taken by anybody else, the storage puts something unique behind it.
         */
        readonly archiveId: string;
        readonly input: string;
        /** The first entry of what begins: its `seq` is above all before, and from it on history is handed out. */
        readonly carried: NewHistoryEntry;
        /** Its subscriptions that stay; all others go; what mail came by them stays. */
        readonly keep: readonly Pick<NewSubscription, 'topic' | 'filter'>[];
        /** True: this worker goes on with it at once, and that is a claim of its own: the next number. False: claimable by anybody. */
        readonly owned: boolean;
      }
  );

interface SettledClaim {
  readonly instanceId: string;
  /**
   * The number of the claim that it ends: {@link ClaimedRun.claim} of the run, 1 after a start with `owned`. The owner alone would not
   * tell: a park takes effect and its answer is lost, mail comes, the same worker claims the instance again, the park is repeated; it
   * must not put away the later run. So one that does not name the instance's latest claim changes nothing and counts as done.
   */
  readonly claim: number;
}
