// The message store in memory: modes, members, and what comes from outside.
import type { Delivery, IncomingMessage, MessageStore } from '../ports/message-store.js';
import { messageWakeup } from '../ports/message-store.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';
import { createMemoryInstance } from './memory-instance.js';
import { send } from './memory-mail.js';
import type { MemorySession } from './memory-session.js';
import { fixMode, topicOf } from './memory-topics.js';

export function createMemoryMessages(session: MemorySession): MessageStore {
  return {
    fixMode: ({ topic, mode }) => session.run((database, now) => fixMode(topicOf(database, topic), mode, now)),
    members: (group) =>
      session.run((database) => {
        const members = database.groups.get(group) ?? new Set<MemoryInstance>();
        return [...members].map(({ instanceId }) => instanceId).sort(byCodePoints);
      }),
    deliver: (message) => session.run((database, now) => deliver(database, message, now)),
    deliverAll: (messages) => session.run((database, now) => messages.map((message) => deliver(database, message, now))),
  };
}

function deliver(database: MemoryDatabase, message: IncomingMessage, now: number): Delivery {
  const identity = JSON.stringify([message.source, message.messageId]);
  // Before the target is looked at: a message that made its target finish is a duplicate when its sender tries again, not an error.
  if (database.events.has(identity)) return nothing('duplicate');
  if (message.to.type === 'instance' && database.going(message.to.instanceId) === undefined) {
    return nothing(database.instances.has(message.to.instanceId) ? 'finished' : 'unknown');
  }
  database.events.set(identity, now);
  const receivers = send(database, message, { from: null, now }) ?? 0;
  const started = message.to.type === 'subscribers' ? startOn(database, message, now) : [];
  const resumable = started.map((instance) => ({ kind: 'workflow_resumable', ...instance }) as const);
  const wakeups = receivers === 0 ? resumable : [messageWakeup(message), ...resumable];
  return { outcome: 'delivered', receivers, started, wakeups };
}

/** Starts what was registered as starting on the topic. An instance that has the id already stays as it is. */
function startOn(database: MemoryDatabase, { topic, starts }: IncomingMessage, now: number): Delivery['started'] {
  if (starts === null) return [];
  const started: { readonly instanceId: string; readonly workflowName: string }[] = [];
  for (const [workflowName, topics] of database.starts) {
    const instanceId = `${workflowName}:${starts.idEnding}`;
    if (!topics.has(topic) || database.instances.has(instanceId)) continue;
    // No start from elsewhere has this token, so another start with the id is a conflict.
    const token = `event ${database.nextNumber()}`;
    const start = { instanceId, workflowName, input: starts.input, startToken: token, owned: false };
    createMemoryInstance(database, { start, workerId: null, isInputChecked: false, now });
    started.push({ instanceId, workflowName });
  }
  return started;
}

function nothing(outcome: Delivery['outcome']): Delivery {
  return { outcome, receivers: 0, started: [], wakeups: [] };
}

/** As UTF-8 sorts, which is not what `<` does with what lies beyond the first plane. */
function byCodePoints(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const index = left.findIndex((letter, place) => letter !== right[place]);
  if (index === -1) return left.length - right.length;
  return index >= right.length ? 1 : left[index]!.codePointAt(0)! - right[index]!.codePointAt(0)!;
}
