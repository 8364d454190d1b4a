// Carries out what entries bring about beyond their instances.
import type { Effect, ProgressResult } from '@romancy/core/ports';
import { givenUpColumns, handOut, ofInstance, putBack, seek, unseek, type GivenUpMail } from './message-queue.js';
import { writeEvent } from './outbox-streams.js';
import { requestCancel } from './request-cancel.js';
import { sendMessage } from './send-message.js';
import type { WorkerScope } from './worker-scope.js';

/**
 * The effects of entries that this transaction has inserted, in the order that the port sets. Instances join and wait for messages only
 * while this worker owns them, so that nothing of the kind is left with one that has ended.
 * @returns the messages for one instance that is not there or has ended.
 */
export function applyEffects(scope: WorkerScope, effects: readonly Effect[]): ProgressResult['undelivered'] {
  const { connection, tables, workerId, lookup } = scope;
  const undelivered: ProgressResult['undelivered'][number][] = [];
  const [handOutBefore, handOutAfter] = [new Set<string>(), new Set<string>()];
  const each = <Type extends Effect['type']>(type: Type, apply: (effect: Effect & { readonly type: Type }) => void): void => {
    for (const effect of effects) if (effect.type === type) apply(effect as Effect & { readonly type: Type });
  };
  const isOwned = ({ instanceId }: Effect): boolean => lookup.get(instanceId).owner === workerId;

  each('join', (effect) => {
    if (!isOwned(effect)) return;
    const sql = `INSERT INTO ${tables.groupMembers} (group_name, instance_id, id) VALUES (?, ?, ?)
      ON CONFLICT (group_name, instance_id) DO NOTHING`;
    connection.run(sql, effect.group, effect.instanceId, lookup.get(effect.instanceId).id);
  });
  each('message', ({ instanceId, seq, message }) => {
    const sent = sendMessage(scope, message, { id: lookup.get(instanceId).id, seq });
    if (sent === 'queued') handOutBefore.add(message.topic);
    const isLost = sent === 'unknown' || sent === 'finished';
    if (isLost && message.to.type === 'instance') {
      undelivered.push({ messageId: message.messageId, instanceId: message.to.instanceId });
    }
  });
  each('unseek', ({ instanceId, topic }) => {
    unseek(scope, lookup.get(instanceId).id, topic);
    handOutBefore.add(topic);
  });
  each('seek', (effect) => {
    if (isOwned(effect)) seek(scope, lookup.get(effect.instanceId).id, effect.topic);
    handOutBefore.add(effect.topic);
  });
  for (const topic of handOutBefore) handOut(scope, topic);
  each('leave', ({ instanceId, group }) => {
    connection.run(`DELETE FROM ${tables.groupMembers} WHERE group_name = ? AND instance_id = ?`, group, instanceId);
  });
  each('unsubscribe', ({ instanceId, topic }) => {
    const { id } = lookup.get(instanceId);
    connection.run(`DELETE FROM ${ofInstance(tables)} WHERE id = ? AND topic = ?`, id, topic);
    const remove = `DELETE FROM ${tables.mailbox} WHERE id = ? AND topic = ? RETURNING ${givenUpColumns}`;
    for (const queue of putBack(scope, connection.all<GivenUpMail>(remove, id, topic))) handOutAfter.add(queue);
  });
  for (const topic of handOutAfter) handOut(scope, topic);
  each('event', ({ event }) => writeEvent(scope, event));
  each('cancel', ({ order }) => void requestCancel(scope, order));
  each('compensating', ({ instanceId }) => {
    const sql = `UPDATE ${tables.instances} SET compensating = 1, status = 'compensating' WHERE id = ? AND owner = ?`;
    connection.run(sql, lookup.get(instanceId).id, workerId);
  });
  return undelivered;
}
