// What the instance of one run is subscribed to, as its code has come to know it.
import type { ChannelMode } from '../domain/channel.js';
import type { NewSubscription, TopicFilter } from '../ports/subscription.js';

type Subscription = Pick<NewSubscription, 'topic' | 'mode' | 'filter'>;

/** What a later part of the instance is told of its subscriptions. */
export type CarriedSubscriptions = readonly Subscription[];

/** Built from history in a replay, and in the same order on the first run. */
export class Subscriptions {
  /** Null: none, as for most. */
  #subscriptions: Map<string, Subscription> | null = null;
  /** Those that this part of the instance made or used, and not only an earlier one. Null: none. */
  #used: Set<string> | null = null;
  /** How many open calls ask the queue of a topic for a message. */
  #seekers: Map<string, number> | null = null;
  /** Topics whose queue got back something that a read under way may still bring. */
  #unsettled: Set<string> | null = null;

  add(subscription: Subscription): void {
    const key = keyOf(subscription);
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(key, subscription);
    this.#used ??= new Set();
    this.#used.add(key);
  }

  /** From an earlier part of the instance. */
  carry(subscriptions: CarriedSubscriptions): void {
    for (const subscription of subscriptions) {
      this.#subscriptions ??= new Map();
      this.#subscriptions.set(keyOf(subscription), subscription);
    }
  }

  has(subscription: Subscription): boolean {
    return this.#subscriptions?.has(keyOf(subscription)) ?? false;
  }

  /** The mode of a channel's topic; undefined: not subscribed. */
  modeOf(topic: string): ChannelMode | undefined {
    return this.#subscriptions?.get(keyOf({ topic }))?.mode;
  }

  remove(topic: string): void {
    this.#subscriptions?.delete(keyOf({ topic }));
  }

  /**
   * What goes on in the next part: all channels, all events of any kind, and of those with a filter the ones that this part asked
   * for: a part that waits for another order each time would otherwise leave a subscription for every order there ever was.
   */
  carried(): CarriedSubscriptions {
    const all = [...(this.#subscriptions?.entries() ?? [])];
    return all.filter(([key, { filter }]) => filter === undefined || this.#used?.has(key) === true).map(([, one]) => one);
  }

  seekers(topic: string): number {
    return this.#seekers?.get(topic) ?? 0;
  }

  /** One more, or one less. */
  seeks(topic: string, change: 1 | -1): void {
    this.#seekers ??= new Map();
    this.#seekers.set(topic, this.seekers(topic) + change);
  }

  /** The topics whose queue is asked for a message. */
  seekingTopics(): readonly string[] {
    return [...(this.#seekers ?? [])].filter(([, count]) => count > 0).map(([topic]) => topic);
  }

  unsettle(topic: string): void {
    this.#unsettled ??= new Set();
    this.#unsettled.add(topic);
  }

  isUnsettled(topic: string): boolean {
    return this.#unsettled?.has(topic) ?? false;
  }

  settle(topic: string): void {
    this.#unsettled?.delete(topic);
  }
}

function keyOf({ topic, filter }: { readonly topic: string; readonly filter?: TopicFilter }): string {
  return filter === undefined ? topic : `${topic}\n${JSON.stringify([filter.path, filter.equals])}`;
}
