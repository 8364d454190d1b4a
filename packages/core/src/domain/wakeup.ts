// Wake-ups: hints that work may be there, in the words of the notification contract.

/**
 * A hint, never the truth: it carries ids only, and whoever gets one reads the database again. Losing all of them costs
 * latency and nothing else. Four kinds are the four channels of `postgres-notify.md`. Those beyond them: `workflow_finished`, for those who
 * wait for a result in another process; `workflow_claimed`, for those who were about to claim the same; `worker_busy`, for those who
 * watch whether a worker that has runs in memory dies.
 */
export type Wakeup =
  | {
      readonly kind: 'workflow_resumable';
      readonly instanceId: string;
      readonly workflowName: string;
      /** So many others of that workflow came to be claimable with it, at most, and are not named. Default: none. */
      readonly more?: number;
    }
  | {
      readonly kind: 'timer_expired';
      readonly instanceId: string;
      readonly timerId: string;
      /** When the timer is due: milliseconds since 1970 by the storage's clock. */
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'channel_message';
      readonly channelName: string;
      readonly messageId: string;
      /** Null: every subscriber. */
      readonly targetInstanceId: string | null;
    }
  | { readonly kind: 'outbox_pending'; readonly eventId: string }
  | { readonly kind: 'workflow_finished'; readonly instanceId: string }
  | { readonly kind: 'workflow_claimed'; readonly instanceId: string }
  | { readonly kind: 'worker_busy'; readonly workerId: string };

export type WakeupKind = Wakeup['kind'];
