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
  /** How often the code has unsubscribed from a topic. Null: never. */
  #removals: Map<string, number> | null = null;
  /** How many open calls ask the queue of a topic for a message. */
  #seekers: Map<string, number> | null = null;
  /** Topics whose queue was asked more than once since nobody asked it. Null: none. */
  #askedAgain: Set<string> | null = null;
  /** Topics whose queue got back something that a read under way may still bring: how often, and up to when nothing is left of that. Null: none. */
  #unsettled: Map<string, { times: number; settled: number }> | null = null;
  /** Ends of waits that will give back to the queue of a topic once they are recorded. Null: none. */
  #givingBack: Map<string, number> | null = null;

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
    this.#removals ??= new Map();
    this.#removals.set(topic, this.removals(topic) + 1);
    this.#subscriptions?.delete(keyOf({ topic }));
  }

  /** How often the code has unsubscribed from it. */
  removals(topic: string): number {
    return this.#removals?.get(topic) ?? 0;
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
    const count = this.seekers(topic) + change;
    this.#seekers.set(topic, count);
    if (count > 1) (this.#askedAgain ??= new Set()).add(topic);
    else if (count === 0) this.#askedAgain?.delete(topic);
  }

  /** The queue of the topic was asked more than once since nobody asked it, and so may have given more than one message. */
  wasAskedAgain(topic: string): boolean {
    return this.#askedAgain?.has(topic) ?? false;
  }

  /** The topics whose queue is asked for a message. */
  seekingTopics(): readonly string[] {
    return [...(this.#seekers ?? [])].filter(([, count]) => count > 0).map(([topic]) => topic);
  }

  unsettle(topic: string): void {
    this.#unsettled ??= new Map();
    const { times, settled } = this.#unsettled.get(topic) ?? { times: 0, settled: 0 };
    this.#unsettled.set(topic, { times: times + 1, settled });
  }

  /** An end of a wait is on its way that gives back to the queue of the topic. @returns to be called when it is recorded. */
  givesBack(topic: string): () => void {
    this.unsettle(topic);
    this.#givingBack ??= new Map();
    const givingBack = this.#givingBack;
    givingBack.set(topic, (givingBack.get(topic) ?? 0) + 1);
    return () => {
      givingBack.set(topic, givingBack.get(topic)! - 1);
      this.unsettle(topic);
    };
  }

  isUnsettled(topic: string): boolean {
    const known = this.#unsettled?.get(topic);
    return known !== undefined && known.times > known.settled;
  }

  /**
   * How the topic is unsettled at this moment, for {@link Subscriptions.settle}; null: what made it so is not recorded yet, and cannot be durable.
   */
  unsettledMark(topic: string): number | null {
    return (this.#givingBack?.get(topic) ?? 0) > 0 ? null : (this.#unsettled?.get(topic)?.times ?? 0);
  }

  /** @returns false: it was unsettled once more since that mark, and still is. */
  settle(topic: string, mark: number): boolean {
    if (this.unsettledMark(topic) !== mark) return false;
    this.#unsettled?.set(topic, { times: mark, settled: mark });
    return true;
  }
}

function keyOf({ topic, filter }: { readonly topic: string; readonly filter?: TopicFilter }): string {
  return filter === undefined ? topic : `${topic}\n${JSON.stringify([filter.path, filter.equals])}`;
}
