// The instance store in memory: look, cancel and deliver.
import { isFinal } from '../domain/instance.js';
import type { FinishedInstance, InstanceStore, NewEvent } from '../ports/instance-store.js';
import type { Wakeup } from '../domain/wakeup.js';
import { makeClaimable, type MemoryDatabase, type MemoryInstance } from './memory-database.js';
import { listInstances, showInstance } from './memory-list.js';
import type { MemorySession } from './memory-session.js';

export function createMemoryInstances(session: MemorySession): InstanceStore {
  return {
    get: (instanceId) =>
      session.run((database) => {
        const instance = database.instances.get(instanceId);
        return instance === undefined ? undefined : showInstance(instance);
      }),
    list: (request) => session.run((database) => listInstances(database, request)),
    finished: (instanceIds) =>
      session.run((database) => {
        const found = [...new Set(instanceIds)].map((instanceId) => database.instances.get(instanceId));
        return found.flatMap(showFinished);
      }),
    requestCancel: (request) => session.run((database, now) => requestCancel(database, request, now)),
    deliver: (event) => session.run((database, now) => deliver(database, event, now)),
  };
}

function requestCancel(
  database: MemoryDatabase,
  request: { readonly instanceId: string; readonly reason: string | null },
  now: number,
): Awaited<ReturnType<InstanceStore['requestCancel']>> {
  const instance = database.instances.get(request.instanceId);
  if (instance === undefined) return { outcome: 'unknown', status: null, wakeups: [] };
  if (isFinal(instance.status)) return { outcome: 'finished', status: instance.status, wakeups: [] };
  if (instance.cancelRequested) return { outcome: 'already', status: instance.status, wakeups: [] };
  instance.cancelRequested = true;
  instance.cancelReason = request.reason;
  draw(instance, now);
  const { instanceId, workflowName, status } = instance;
  return { outcome: 'requested', status, wakeups: [{ kind: 'workflow_resumable', instanceId, workflowName }] };
}

function deliver(database: MemoryDatabase, event: NewEvent, now: number): Awaited<ReturnType<InstanceStore['deliver']>> {
  const identity = JSON.stringify([event.source, event.eventId]);
  // Before the target is looked at: an event that made its target finish is a duplicate when its sender tries again, not an error.
  if (database.events.has(identity)) return { outcome: 'duplicate', receivers: 0, wakeups: [] };
  const receivers: MemoryInstance[] = [];
  if (event.targetInstanceId === null) {
    for (const instance of database.open) if (instance.subscriptions.has(event.channel)) receivers.push(instance);
  } else {
    const target = database.instances.get(event.targetInstanceId);
    if (target === undefined) return { outcome: 'unknown', receivers: 0, wakeups: [] };
    if (isFinal(target.status)) return { outcome: 'finished', receivers: 0, wakeups: [] };
    receivers.push(target);
  }
  database.events.add(identity);
  for (const instance of receivers) {
    instance.mail.push({ number: database.nextMailNumber(), channel: event.channel, data: event.data });
    draw(instance, now);
  }
  const wakeup: Wakeup = {
    kind: 'channel_message',
    channelName: event.channel,
    messageId: event.eventId,
    targetInstanceId: event.targetInstanceId,
  };
  return { outcome: 'delivered', receivers: receivers.length, wakeups: receivers.length === 0 ? [] : [wakeup] };
}

/** Makes somebody look at the instance: its owner by its attention, or anybody by a claim. */
function draw(instance: MemoryInstance, now: number): void {
  instance.attention = true;
  if (instance.owner === null) makeClaimable(instance, now);
}

function showFinished(instance: MemoryInstance | undefined): readonly FinishedInstance[] {
  if (instance === undefined || !isFinal(instance.status)) return [];
  const { instanceId, status, output, error, cancelReason } = instance;
  return [{ instanceId, status, output, error, cancelReason }];
}
