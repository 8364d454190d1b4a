// What an app sends from outside of workflows: events and messages.
import type { PublishOptions, SendOptions } from '../authoring/messaging.js';
import type { CloudEventInput } from '../domain/cloud-event.js';
import { InstanceFinishedError, InstanceNotFoundError } from '../domain/errors.js';
import { checkPublish, checkSendTo, makeMessage, type MessageOrder, type OutgoingParts } from '../engine/outgoing.js';
import type { Clock } from '../ports/clock.js';
import type { Delivery, IncomingMessage } from '../ports/message-store.js';
import type { Storage } from '../ports/storage.js';
import { DeliveryLane } from '../scheduler/delivery-lane.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import { toIncomingEvent } from './event-input.js';

/** What becomes of an event. */
export interface EventReceipt {
  readonly eventId: string;
  /** The same `source` and `id` came before: nothing was done. */
  readonly duplicate: boolean;
  /** How many instances get it. */
  readonly receivers: number;
  /** The ids of the instances that it started. */
  readonly started: readonly string[];
}

/** What becomes of a message. */
export interface MessageReceipt {
  readonly messageId: string;
  /** How many instances get it. One to a `competing` channel is queued and counts for none. */
  readonly receivers: number;
}

/** Under this and a message's id a storage knows a message that is sent again after a lost answer. */
const messageSource = 'romancy:message';

export interface AppMessagesParts {
  readonly storage: Storage;
  readonly scheduler: Scheduler;
  readonly outgoing: OutgoingParts;
  readonly clock: Clock;
  /** Aborts when the app stops. */
  readonly stopSignal: AbortSignal;
}

/** Everything is durable when a call resolves; while the storage is unavailable, it tries again. */
export class AppMessages {
  readonly #parts: AppMessagesParts;
  readonly #lane: DeliveryLane;

  constructor(parts: AppMessagesParts) {
    this.#parts = parts;
    const { storage, scheduler, clock, stopSignal } = parts;
    this.#lane = new DeliveryLane({
      messages: storage.messages,
      health: scheduler.health,
      clock,
      onWakeups: (wakeups) => scheduler.tell(wakeups),
      stopSignal,
    });
  }

  async sendEvent(event: CloudEventInput): Promise<EventReceipt> {
    const made = toIncomingEvent(event, this.#parts.outgoing);
    const { outcome, receivers, started } = await this.#deliver(made);
    return {
      eventId: made.messageId,
      duplicate: outcome === 'duplicate',
      receivers,
      started: started.map(({ instanceId }) => instanceId),
    };
  }

  publish(channel: string, data: unknown, options: PublishOptions | undefined): Promise<MessageReceipt> {
    return this.#send(checkPublish(channel, data, options));
  }

  sendTo(
    to: { readonly instanceId: string; readonly channel: string },
    data: unknown,
    options: SendOptions | undefined,
  ): Promise<MessageReceipt> {
    return this.#send(checkSendTo(to, data, options));
  }

  async #send(order: Omit<MessageOrder, 'sender'>): Promise<MessageReceipt> {
    const message = makeMessage({ ...order, sender: undefined }, this.#parts.outgoing);
    const { receivers } = await this.#deliver({ ...message, source: messageSource, starts: null });
    return { messageId: message.messageId, receivers };
  }

  async #deliver(message: IncomingMessage): Promise<Delivery> {
    const { storage, scheduler, stopSignal } = this.#parts;
    const delivery = await this.#lane.deliver(message);
    const instanceId = message.to.type === 'instance' ? message.to.instanceId : '';
    if (delivery.outcome === 'unknown') throw new InstanceNotFoundError({ instanceId });
    if (delivery.outcome === 'finished') {
      const status = (await scheduler.health.keepTrying(() => storage.instances.get(instanceId), stopSignal))?.status ?? 'ended';
      throw new InstanceFinishedError({ instanceId, status });
    }
    return delivery;
  }
}
