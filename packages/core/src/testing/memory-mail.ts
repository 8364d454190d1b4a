// Sending in memory: finds whom a message is for and puts it into mailboxes, or into the queue of its topic.
import { atJsonPath } from '../domain/json-path.js';
import { isChannelTopic } from '../domain/topic.js';
import type { OutgoingMessage } from '../ports/message-store.js';
import { draw, type MemoryDatabase, type MemoryInstance } from './memory-database.js';
import { enqueue, handOut, topicOf } from './memory-topics.js';

/** By whom and by which entry something was sent from within a workflow. */
export interface MemorySender {
  readonly instanceId: string;
  readonly seq: number;
}

/** @returns how many instances got it; undefined when it is for one that is not there or has ended. */
export function send(
  database: MemoryDatabase,
  message: OutgoingMessage,
  { from, now }: { readonly from: MemorySender | null; readonly now: number },
): number | undefined {
  const receivers = receiversOf(database, message, from);
  if (receivers === 'queue') {
    const { messageId, data, topic } = message;
    enqueue(topicOf(database, topic), { place: database.nextNumber(), queuedAt: now, messageId, data });
    return handOut(database, topic, now);
  }
  for (const instance of receivers ?? []) putMail(database, instance, { message, now });
  return receivers?.length;
}

/** Puts a piece of mail into one mailbox. */
export function putMail(
  database: MemoryDatabase,
  instance: MemoryInstance,
  { message, now }: { readonly message: Omit<OutgoingMessage, 'to'>; readonly now: number },
): void {
  const { topic, messageId, data } = message;
  instance.mail.push({ number: database.nextNumber(), topic, messageId, data, queued: null });
  draw(instance, now);
}

function receiversOf(
  database: MemoryDatabase,
  { to, topic, data }: OutgoingMessage,
  from: MemorySender | null,
): readonly MemoryInstance[] | 'queue' | undefined {
  switch (to.type) {
    case 'instance': {
      const target = database.going(to.instanceId);
      return target && [target];
    }
    case 'group':
      return [...(database.groups.get(to.group) ?? [])];
    case 'subscribers': {
      const known = database.topics.get(topic);
      if (isChannelTopic(topic)) {
        const mode = known?.mode ?? null;
        if (mode === null || mode === 'competing') return 'queue';
        if (mode === 'direct') return [];
      }
      if (known === undefined) return [];
      const root: unknown = JSON.parse(data);
      return [...known.subscribers].filter((instance) => takes(instance, { topic, root, from }));
    }
  }
}

function takes(
  instance: MemoryInstance,
  { topic, root, from }: { readonly topic: string; readonly root: unknown; readonly from: MemorySender | null },
): boolean {
  // What it published before it subscribed is not for itself, though both come in one commit.
  const since = from?.instanceId === instance.instanceId ? from.seq : Infinity;
  const subscriptions = instance.subscriptions.get(topic) ?? [];
  return subscriptions.some(
    ({ filter, seq }) => seq < since && (filter === null || atJsonPath(root, filter.path) === filter.equals),
  );
}
