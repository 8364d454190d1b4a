// What an entry of history brings about beyond its instance.
import type { OutgoingMessage } from './message-store.js';
import type { NewOutboxEvent } from './outbox-store.js';

export interface CancelOrder {
  readonly instanceId: string;
  readonly reason: string | null;
  /** Only if this instance has started it: its id may have been taken by another start. Default: whoever has. */
  readonly childOf?: string;
}

/**
 * What an entry brings about beyond its instance. Takes place in the commit that writes the entry, and never again: in a batch in which the entry was there
 * already, as after a lost answer, its effects are left out.
 *
 * The effects of one batch take place after its taken mail is removed, and in this order, whatever their order in the list: joins (with the batch's starts and subscriptions), messages, `unseek`, `seek`, then
 * what is queued is handed to seekers, then leaves and `unsubscribe`, events, cancels, `compensating`; the settlements follow. The engine never has two of one
 * instance about the same topic or group in a batch for which this order would be wrong.
 */
export type Effect = {
  /** The entry: `(instanceId, seq)`. */
  readonly instanceId: string;
  readonly seq: number;
} & (
  | { readonly type: 'message'; readonly message: OutgoingMessage }
  /** Into the outbox. */
  | { readonly type: 'event'; readonly event: NewOutboxEvent }
  | { readonly type: 'join' | 'leave'; readonly group: string }
  /** No subscription of the topic any more, nor mail of it; what came from the queue goes back there. */
  | { readonly type: 'unsubscribe'; readonly topic: string }
  /**
   * The instance waits for one message of a `competing` topic to which it is subscribed: it gets it as mail, now or as soon as there is one.
   * No effect while it waits for one already, and on other topics.
   */
  | { readonly type: 'seek'; readonly topic: string }
  /** It does not any more; what it got and did not take goes back. */
  | { readonly type: 'unseek'; readonly topic: string }
  /** The code is over, and what it completed is undone: the instance's status is `compensating` from here on, owned or not, until it ends. */
  | { readonly type: 'compensating' }
  /** Like a request from outside. */
  | ({ readonly type: 'cancel' } & { readonly order: CancelOrder })
);
