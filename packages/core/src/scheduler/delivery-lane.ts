// Hands in what comes from outside, in groups: while one call of the storage is under way, what the next one carries gathers.
import { hop } from '../engine/hop.js';
import type { Clock } from '../ports/clock.js';
import type { Delivery, IncomingMessage, MessageStore } from '../ports/message-store.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { StorageHealth } from './storage-health.js';

export interface DeliveryLaneParts {
  readonly messages: MessageStore;
  readonly health: StorageHealth;
  readonly clock: Clock;
  /** What was delivered comes to these. */
  readonly onWakeups: (wakeups: readonly Wakeup[]) => void;
  /** Aborts when the app stops. */
  readonly stopSignal: AbortSignal;
}

interface Waiting {
  readonly message: IncomingMessage;
  readonly resolve: (delivery: Delivery) => void;
  readonly reject: (error: unknown) => void;
}

/** A call that takes longer waits for a lock that not everybody needs: what came meanwhile does not wait with it. Milliseconds. */
const patienceMs = 50;
/** At the same time, however many of them are late. */
const mostCalls = 4;
/** Bounds on the size of one call. */
const mostMessages = 500;
const mostCharacters = 4_000_000;

/**
 * A commit for each message costs more than the message, and those to one queue would be made one after the other. Nobody waits for a group to fill: the first message
 * leaves at once, with those that were sent in the same turn of the event loop, and those that come while it is under way leave together when it was answered.
 */
export class DeliveryLane {
  readonly #parts: DeliveryLaneParts;
  readonly #waiting: Waiting[] = [];
  #calls = 0;
  #late = 0;

  constructor(parts: DeliveryLaneParts) {
    this.#parts = parts;
  }

  /** Resolves when it is durable, whatever becomes of those that it went with. @throws what the storage refuses it for. */
  deliver(message: IncomingMessage): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      this.#goOn();
    });
  }

  #goOn(): void {
    if (this.#waiting.length > 0 && this.#calls === this.#late && this.#calls < mostCalls) void this.#run();
  }

  /** Until nothing waits, or somebody else has taken over while this one was late. */
  async #run(): Promise<void> {
    this.#calls++;
    // What is sent together goes together: without a turn in between, the first of a hundred would go alone.
    await hop();
    let isLate = false;
    while (this.#waiting.length > 0 && !isLate) {
      const cancel = this.#parts.clock.schedule(patienceMs, () => {
        isLate = true;
        this.#late++;
        this.#goOn();
      });
      await this.#send(this.#take());
      cancel();
    }
    if (isLate) this.#late--;
    this.#calls--;
    this.#goOn();
  }

  #take(): readonly Waiting[] {
    let characters = 0;
    const identities = new Set<string>();
    for (const { message } of this.#waiting) {
      characters += message.data.length;
      const identity = JSON.stringify([message.source, message.messageId]);
      if (identities.size === mostMessages || (characters > mostCharacters && identities.size > 0)) break;
      // The same once more: what becomes of it is known when it is known of the first.
      if (identities.has(identity)) break;
      identities.add(identity);
    }
    return this.#waiting.splice(0, identities.size);
  }

  /** Never rejects. */
  async #send(group: readonly Waiting[]): Promise<void> {
    const { messages, health, onWakeups, stopSignal } = this.#parts;
    const list = group.map(({ message }) => message);
    try {
      const deliveries = await health.keepTrying(
        async () => (list.length === 1 ? [await messages.deliver(list[0]!)] : await messages.deliverAll(list)),
        stopSignal,
      );
      const wakeups = deliveries.flatMap((delivery) => delivery.wakeups);
      if (wakeups.length > 0) onWakeups(wakeups);
      for (const [index, { resolve }] of group.entries()) resolve(deliveries[index]!);
    } catch (error) {
      if (group.length === 1) group[0]!.reject(error);
      // Something in one of them was refused: the others must not suffer for it.
      else for (const one of group) await this.#send([one]);
    }
  }
}
