// Topics in memory: their modes, who is subscribed, and the queue between publishers and those who seek.
import type { ChannelMode } from '../domain/channel.js';
import type { NewSubscription } from '../ports/subscription.js';
import { draw, type MemoryDatabase, type MemoryInstance, type MemoryQueued, type MemoryTopic } from './memory-database.js';

/** The topic with that name, which is there from now on. */
export function topicOf(database: MemoryDatabase, name: string): MemoryTopic {
  const existing = database.topics.get(name);
  if (existing !== undefined) return existing;
  const topic: MemoryTopic = { name, mode: null, fixedAt: 0, subscribers: new Set(), queue: [], seekers: new Set() };
  database.topics.set(name, topic);
  return topic;
}

/** Forgets a topic about which there is nothing to know. */
export function dropIfEmpty(database: MemoryDatabase, topic: MemoryTopic): void {
  if (topic.mode === null && topic.subscribers.size === 0 && topic.queue.length === 0) database.topics.delete(topic.name);
}

/** Gives it its mode if it has none; what was queued is then a backlog, or nothing. */
export function fixMode(topic: MemoryTopic, mode: ChannelMode, now: number): ChannelMode {
  topic.fixedAt = now;
  if (topic.mode === null) {
    topic.mode = mode;
    if (mode !== 'competing') topic.queue.length = 0;
  }
  return topic.mode;
}

export function subscribe(
  database: MemoryDatabase,
  instance: MemoryInstance,
  { subscription, now }: { readonly subscription: Omit<NewSubscription, 'instanceId'>; readonly now: number },
): void {
  const topic = topicOf(database, subscription.topic);
  if (subscription.mode !== undefined) fixMode(topic, subscription.mode, now);
  topic.subscribers.add(instance);
  const filter = subscription.filter ?? null;
  const there = instance.subscriptions.get(topic.name) ?? [];
  if (there.some((other) => sameFilter(other.filter, filter))) return;
  instance.subscriptions.set(topic.name, [
    ...there,
    { filter: filter === null ? null : { path: [...filter.path], equals: filter.equals }, seq: subscription.seq ?? 0 },
  ]);
}

/** Whether they take the same; none takes all. */
export function sameFilter(a: NewSubscription['filter'] | null, b: NewSubscription['filter'] | null): boolean {
  const textOf = (filter: typeof a): string =>
    JSON.stringify(filter === null || filter === undefined ? null : [filter.path, filter.equals]);
  return textOf(a) === textOf(b);
}

/** Ends the subscription, and a seek with it; the mail stays. */
export function endSubscription(database: MemoryDatabase, instance: MemoryInstance, name: string): void {
  const topic = database.topics.get(name);
  instance.subscriptions.delete(name);
  instance.seeks.delete(name);
  if (topic === undefined) return;
  topic.subscribers.delete(instance);
  topic.seekers.delete(instance);
  dropIfEmpty(database, topic);
}

/** The instance waits for one message of the topic, if it can: a further time changes nothing. */
export function seek(database: MemoryDatabase, instance: MemoryInstance, name: string): void {
  const topic = database.topics.get(name);
  if (topic?.mode !== 'competing' || !topic.subscribers.has(instance)) return;
  instance.seeks.add(name);
  topic.seekers.add(instance);
}

export function unseek(database: MemoryDatabase, instance: MemoryInstance, name: string): void {
  instance.seeks.delete(name);
  database.topics.get(name)?.seekers.delete(instance);
}

/** Puts back into the queue what came from there and was not taken. Afterwards {@link handOut} is due. */
export function handBack(database: MemoryDatabase, instance: MemoryInstance, name: string): void {
  for (let index = instance.mail.length - 1; index >= 0; index--) {
    const piece = instance.mail[index]!;
    if (piece.topic !== name || piece.queued === null) continue;
    instance.mail.splice(index, 1);
    enqueue(topicOf(database, name), piece.queued);
  }
}

/** Ends all seeks of the instance; what it got by them and did not take goes to others. */
export function giveUpQueues(database: MemoryDatabase, instance: MemoryInstance, now: number): void {
  for (const topic of [...instance.seeks]) unseek(database, instance, topic);
  const topics = new Set(instance.mail.filter(({ queued }) => queued !== null).map((piece) => piece.topic));
  for (const topic of topics) {
    handBack(database, instance, topic);
    handOut(database, topic, now);
  }
}

/** Puts it where its place is among those that wait. */
export function enqueue({ queue }: MemoryTopic, message: MemoryQueued): void {
  let index = queue.length;
  while (index > 0 && queue[index - 1]!.place > message.place) index--;
  queue.splice(index, 0, message);
}

/**
 * Gives what is queued to those who seek, the oldest to the longest-seeking.
 * @returns how many got one.
 */
export function handOut(database: MemoryDatabase, name: string, now: number): number {
  const topic = database.topics.get(name);
  if (topic === undefined) return 0;
  let handed = 0;
  for (const seeker of topic.seekers) {
    const message = topic.queue.shift();
    if (message === undefined) break;
    unseek(database, seeker, name);
    const { messageId, data } = message;
    seeker.mail.push({ number: database.nextNumber(), topic: name, messageId, data, queued: message });
    draw(seeker, now);
    database.handed.push({ instanceId: seeker.instanceId, topic: name, messageId });
    handed++;
  }
  dropIfEmpty(database, topic);
  return handed;
}
