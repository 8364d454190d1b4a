// What entries bring about beyond their instance, in memory: always in the same order, whatever the order of the list.
import { childTopic } from '../domain/topic.js';
import type { OutgoingMessage } from '../ports/message-store.js';
import type { Effect } from '../ports/effect.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { ProgressResult } from '../ports/progress.js';
import { requestCancel } from './memory-cancel.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';
import { joinGroup, leaveGroup } from './memory-instance.js';
import { putMail, send, type MemorySender } from './memory-mail.js';
import { writeEvent } from './memory-outbox.js';
import { endSubscription, handBack, handOut, seek, unseek } from './memory-topics.js';

/** What the effects of one commit have in common. */
export interface MemoryEffectScope {
  readonly workerId: string;
  readonly now: number;
  /** Gathers messages for instances that are not there. */
  readonly undelivered: ProgressResult['undelivered'][number][];
}

type EffectType = Effect['type'];

export function applyEffects(database: MemoryDatabase, effects: readonly Effect[], scope: MemoryEffectScope): void {
  const { workerId, now } = scope;
  // Effects that leave something with their instance need one that goes on: else it would stay with an ended one for ever.
  const withOwned = (type: EffectType, work: (instance: MemoryInstance, effect: Effect) => void): void => {
    for (const effect of effects) {
      const instance = effect.type === type ? database.owned(effect.instanceId, workerId) : undefined;
      if (instance !== undefined) work(instance, effect);
    }
  };
  const topics = new Set<string>();

  withOwned('join', (instance, effect) => {
    if (effect.type === 'join') joinGroup(database, instance, effect.group);
  });
  for (const effect of effects) if (effect.type === 'message') sendFrom(database, effect.message, { ...scope, from: effect });
  withOwned('unseek', (instance, effect) => {
    if (effect.type !== 'unseek') return;
    unseek(database, instance, effect.topic);
    handBack(database, instance, effect.topic);
    topics.add(effect.topic);
  });
  withOwned('seek', (instance, effect) => {
    if (effect.type !== 'seek') return;
    seek(database, instance, effect.topic);
    topics.add(effect.topic);
  });
  for (const topic of topics) handOut(database, topic, now);

  withOwned('leave', (instance, effect) => {
    if (effect.type === 'leave') leaveGroup(database, instance, effect.group);
  });
  withOwned('unsubscribe', (instance, effect) => {
    if (effect.type === 'unsubscribe') unsubscribe(database, instance, { topic: effect.topic, now });
  });
  for (const effect of effects) if (effect.type === 'event') writeEvent(database, effect.event, now);
  for (const effect of effects) if (effect.type === 'cancel') requestCancel(database, effect.order, now);
  withOwned('compensating', (instance) => {
    instance.isCompensating = true;
    instance.status = 'compensating';
  });
}

/** Sends it, and says so when the one instance that it is for is not there. */
export function sendFrom(
  database: MemoryDatabase,
  message: OutgoingMessage,
  { from, now, undelivered }: MemoryEffectScope & { readonly from: MemorySender | null },
): void {
  const receivers = send(database, message, { from, now });
  if (receivers === undefined && message.to.type === 'instance') {
    undelivered.push({ messageId: message.messageId, instanceId: message.to.instanceId });
  }
}

/** Tells the parent that the start of its child was refused. A repeated batch finds that it was told. */
export function tellConflict(database: MemoryDatabase, { instanceId, parent }: NewInstance, now: number): void {
  const receiver = parent && database.going(parent.instanceId);
  if (parent === undefined || receiver === undefined) return;
  const { messageId, data } = parent.conflict;
  if (receiver.mail.some((piece) => piece.messageId === messageId)) return;
  putMail(database, receiver, { message: { messageId, data, topic: childTopic(instanceId) }, now });
}

function unsubscribe(
  database: MemoryDatabase,
  instance: MemoryInstance,
  { topic, now }: { readonly topic: string; readonly now: number },
): void {
  handBack(database, instance, topic);
  endSubscription(database, instance, topic);
  const stays = instance.mail.filter((piece) => piece.topic !== topic);
  instance.mail.splice(0, instance.mail.length, ...stays);
  handOut(database, topic, now);
}
