// The beginning and the end of an instance in memory.
import type { EndStatus } from '../domain/instance.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';
import { endSubscription, giveUpQueues } from './memory-topics.js';

/** Writes a new instance under an id that is free. */
export function createMemoryInstance(
  database: MemoryDatabase,
  {
    start,
    workerId,
    isInputChecked,
    now,
  }: {
    readonly start: NewInstance;
    readonly workerId: string | null;
    readonly isInputChecked: boolean;
    readonly now: number;
  },
): void {
  const instance: MemoryInstance = {
    instanceId: start.instanceId,
    workflowName: start.workflowName,
    input: start.input,
    isInputChecked,
    startToken: start.startToken,
    parentId: start.parent?.instanceId ?? null,
    createdAt: now,
    status: start.owned ? 'running' : 'pending',
    isCompensating: false,
    output: null,
    error: null,
    compensationFailures: null,
    cancelRequested: false,
    cancelReason: null,
    owner: start.owned ? workerId : null,
    wakeAt: start.owned ? null : now,
    finishedAt: null,
    continuedAs: null,
    continuedFrom: null,
    generation: 0,
    claims: start.owned ? 1 : 0,
    attention: false,
    drawn: 0,
    history: [],
    historyStart: 0,
    historyEnd: Infinity,
    subscriptions: new Map(),
    groups: new Set(),
    seeks: new Set(),
    mail: [],
  };
  database.instances.set(start.instanceId, instance);
  database.open.add(instance);
}

/** Ends it: nothing that waits, is subscribed or belongs to a group stays behind, and what it had from a queue goes back. */
export function endMemoryInstance(
  database: MemoryDatabase,
  instance: MemoryInstance,
  { status, now }: { readonly status: EndStatus; readonly now: number },
): void {
  instance.status = status;
  instance.wakeAt = null;
  instance.owner = null;
  instance.finishedAt = now;
  database.open.delete(instance);
  database.ended.add(instance);
  for (const group of [...instance.groups]) leaveGroup(database, instance, group);
  giveUpQueues(database, instance, now);
  for (const topic of [...instance.subscriptions.keys()]) endSubscription(database, instance, topic);
  instance.mail.length = 0;
}

export function joinGroup(database: MemoryDatabase, instance: MemoryInstance, group: string): void {
  const members = database.groups.get(group) ?? new Set();
  database.groups.set(group, members.add(instance));
  instance.groups.add(group);
}

export function leaveGroup(database: MemoryDatabase, instance: MemoryInstance, group: string): void {
  const members = database.groups.get(group);
  instance.groups.delete(group);
  members?.delete(instance);
  if (members?.size === 0) database.groups.delete(group);
}
