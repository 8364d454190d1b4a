// What cases of messages play with: short ways to subscribe, to record entries with effects, to publish, and to look into mailboxes.
import type { ChannelMode, Delivery, Effect, OutgoingMessage, ProgressResult, TakenMail } from '../ports/index.js';
import type { StorageHarness } from './storage-harness.js';
import { newEntry, newInstance, type PartialBatch, type TestWorker } from './test-worker.js';

/** The channel of which cases speak when there is one alone. */
export const topic = 'channel:jobs';

/** An effect before it is known by which entry it comes. */
export type EffectFacts = Bare<Effect>;

type Bare<T> = T extends unknown ? Omit<T, 'instanceId' | 'seq'> : never;

let lastSeq = 0;
let lastMessage = 0;

/** A message for whoever is subscribed to the topic, with an id of its own. */
export function newMessage(data: unknown, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { messageId: `message-${++lastMessage}`, topic, data: JSON.stringify(data), to: { type: 'subscribers' }, ...more };
}

/** Something published by an entry. */
export function published(data: unknown, more: Partial<OutgoingMessage> = {}): EffectFacts {
  return { type: 'message', message: newMessage(data, more) };
}

/** A batch in which the instance records one further entry with these effects. */
export function stepOf(
  instanceId: string,
  effects: readonly EffectFacts[],
  seq = ++lastSeq,
): Required<Pick<PartialBatch, 'entries' | 'effects'>> {
  return { entries: [newEntry(instanceId, seq)], effects: effects.map((effect): Effect => ({ ...effect, instanceId, seq })) };
}

/** Commits that. */
export function step(worker: TestWorker, instanceId: string, ...effects: EffectFacts[]): Promise<ProgressResult> {
  return worker.commit(stepOf(instanceId, effects));
}

/** Starts instances, owned by the worker, that are subscribed to the topic. */
export async function startSubscribed(
  worker: TestWorker,
  instanceIds: readonly string[],
  subscription: { readonly topic?: string; readonly mode: ChannelMode },
): Promise<void> {
  const subscribed = { topic, ...subscription };
  await worker.storage.messages.fixMode(subscribed);
  await worker.commit({
    starts: instanceIds.map((instanceId) => newInstance(instanceId)),
    subscriptions: instanceIds.map((instanceId) => ({ instanceId, ...subscribed })),
  });
}

/** Publishes from outside. */
export async function publish(harness: StorageHarness, data: unknown, more: Partial<OutgoingMessage> = {}): Promise<Delivery> {
  return harness.deliver(newMessage(data, more));
}

/** What waits for the instance under the topic. */
export async function mailOf(harness: StorageHarness, instanceId: string, of = topic): Promise<readonly unknown[]> {
  const { runs } = await harness.storage();
  const mail = await runs.mail({ instanceId, topic: of, afterMailId: null, limit: 1000 });
  return mail.map(({ data }) => JSON.parse(data) as unknown);
}

/** All that waits for the instance under the topic, to be taken by a commit. */
export async function takenMail(harness: StorageHarness, instanceId: string, of = topic): Promise<readonly TakenMail[]> {
  const { runs } = await harness.storage();
  const mail = await runs.mail({ instanceId, topic: of, afterMailId: null, limit: 1000 });
  return mail.map(({ mailId }) => ({ instanceId, mailId }));
}

/** Takes from the queue of the topic until nothing comes any more: what is left in it, in its order. The instance must not have ended. */
export async function drain(
  harness: StorageHarness,
  worker: TestWorker,
  instanceId: string,
  of = topic,
): Promise<readonly unknown[]> {
  const left: unknown[] = [];
  for (;;) {
    await step(worker, instanceId, { type: 'seek', topic: of });
    const mail = await mailOf(harness, instanceId, of);
    if (mail.length === 0) break;
    left.push(...mail);
    await worker.commit({ takenMail: await takenMail(harness, instanceId, of) });
  }
  await step(worker, instanceId, { type: 'unseek', topic: of });
  return left;
}
