// Tells to whom messages of queues came in one commit.
import { handedWakeup, type CommitNews, type Effect, type HandedMessage } from '@romancy/core/ports';
import type { WorkerScope } from './worker-scope.js';

/** @param effects of the commit: what it sent itself is told by itself. */
export function handedNews(
  { connection, tables, workerId, handed }: WorkerScope & { readonly handed: readonly HandedMessage[] },
  effects: readonly Effect[],
): Pick<CommitNews, 'wakeups' | 'attention'> {
  const own = new Set(effects.map((effect) => (effect.type === 'message' ? effect.message.messageId : '')));
  const [wakeups, attention] = [[] as CommitNews['wakeups'][number][], [] as string[]];
  const owner = `SELECT owner FROM ${tables.instances} WHERE instance_id = ?`;
  for (const one of handed) {
    const isHere = connection.get<{ readonly owner: string | null }>(owner, one.instanceId)?.owner === workerId;
    if (isHere) attention.push(one.instanceId);
    else if (!own.has(one.messageId)) wakeups.push(handedWakeup(one));
  }
  return { wakeups, attention };
}
