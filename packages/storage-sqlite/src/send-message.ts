// Sends one message: into mailboxes, or into the queue of its topic.
import { isChannelTopic, isFinal, type InstanceStatus, type OutgoingMessage } from '@romancy/core/ports';
import { modeOf } from './channel-mode.js';
import { findSubscribers, type MessageSender } from './find-subscribers.js';
import { enqueue } from './message-queue.js';
import { putMail } from './put-mail.js';
import type { WriteScope } from './write-scope.js';

/**
 * - a number: so many instances got it.
 * - `queued`: it lies in the queue of its topic; `handOut` is due.
 * - `unknown`, `finished`: the one instance that it is for is not there, or has ended. Nothing was done.
 */
export type SendOutcome = number | 'queued' | 'unknown' | 'finished';

/** `sender`: undefined when it comes from outside of all instances. */
export function sendMessage(scope: WriteScope, message: OutgoingMessage, sender: MessageSender | undefined): SendOutcome {
  const receivers = receiversOf(scope, message, sender);
  if (receivers === 'queued') enqueue(scope, message);
  if (typeof receivers === 'string') return receivers;
  putMail(scope, message, receivers);
  return receivers.length;
}

function receiversOf(
  scope: WriteScope,
  { to, topic, data }: OutgoingMessage,
  sender: MessageSender | undefined,
): readonly number[] | 'queued' | 'unknown' | 'finished' {
  switch (to.type) {
    case 'instance':
      return oneInstance(scope, to.instanceId);
    case 'group':
      return membersOf(scope, to.group);
    case 'subscribers': {
      // Events have no mode: they go to whoever is there.
      if (isChannelTopic(topic)) {
        const mode = modeOf(scope, topic);
        if (mode === undefined || mode === 'competing') return 'queued';
        if (mode === 'direct') return [];
      }
      return findSubscribers(scope, { topic, data, sender });
    }
  }
}

function oneInstance({ connection, tables }: WriteScope, instanceId: string): readonly number[] | 'unknown' | 'finished' {
  const sql = `SELECT id, status FROM ${tables.instances} WHERE instance_id = ?`;
  const row = connection.get<{ readonly id: number; readonly status: InstanceStatus }>(sql, instanceId);
  if (row === undefined) return 'unknown';
  return isFinal(row.status) ? 'finished' : [row.id];
}

/** Instances that have ended belong to no group. */
function membersOf({ connection, tables }: WriteScope, group: string): readonly number[] {
  const sql = `SELECT id FROM ${tables.groupMembers} WHERE group_name = ?`;
  return connection.all<{ readonly id: number }>(sql, group).map(({ id }) => id);
}
