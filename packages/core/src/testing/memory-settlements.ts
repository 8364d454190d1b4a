// Settlements in memory: how a run leaves its process.
import type { Settlement } from '../ports/settlement.js';
import { requestCancel } from './memory-cancel.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';
import { sendFrom, type MemoryEffectScope } from './memory-effects.js';
import { appendEntry } from './memory-history.js';
import { endMemoryInstance } from './memory-instance.js';
import { endSubscription, giveUpQueues, sameFilter } from './memory-topics.js';

type Finish = Settlement & { readonly type: 'finish' };
type Recur = Settlement & { readonly type: 'recur' };

interface MemorySettlementScope extends MemoryEffectScope {
  /** Marks of mail that instances were handed, see `ProgressBatch.seen`. */
  readonly seen: ReadonlyMap<string, string>;
}

/** Whether its owner knows of all that has happened to it. */
export function knowsAll({ instanceId, attention, drawn }: MemoryInstance, seen: MemorySettlementScope['seen']): boolean {
  return !attention || seen.get(instanceId) === String(drawn);
}

/** @returns false when it is refused; then nothing of it was done. */
export function settle(database: MemoryDatabase, settlement: Settlement, scope: MemorySettlementScope): boolean {
  const instance = database.owned(settlement.instanceId, scope.workerId);
  // Not owned any more, or by a later claim: this very settlement has been made before.
  if (instance?.claims !== settlement.claim) return true;
  switch (settlement.type) {
    case 'park':
      // The owner has not seen all that came: were it put away now, nobody would wake it for that.
      if (!knowsAll(instance, scope.seen)) return false;
      instance.attention = false;
      instance.status = instance.isCompensating ? 'compensating' : settlement.status;
      instance.wakeAt = settlement.wakeAt;
      break;
    case 'release':
      instance.status = instance.isCompensating ? 'compensating' : 'pending';
      instance.wakeAt = settlement.wakeAt ?? scope.now;
      break;
    case 'stall':
      instance.status = 'stalled';
      instance.error = settlement.error;
      instance.wakeAt = settlement.wakeAt;
      break;
    case 'finish':
      if (settlement.status !== 'cancelled' && instance.cancelRequested) return false;
      finish(database, instance, { settlement, scope });
      break;
    case 'recur':
      if (instance.cancelRequested) return false;
      recur(database, instance, { settlement, now: scope.now });
      return true;
  }
  instance.owner = null;
  return true;
}

function finish(
  database: MemoryDatabase,
  instance: MemoryInstance,
  { settlement, scope }: { readonly settlement: Finish; readonly scope: MemoryEffectScope },
): void {
  instance.output = settlement.output;
  instance.error = settlement.error;
  instance.compensationFailures = settlement.compensationFailures ?? null;
  endMemoryInstance(database, instance, { status: settlement.status, now: scope.now });
  for (const message of settlement.messages ?? []) sendFrom(database, message, { ...scope, from: null });
  for (const order of settlement.cancels ?? []) requestCancel(database, order, scope.now);
}

function recur(
  database: MemoryDatabase,
  instance: MemoryInstance,
  { settlement, now }: { readonly settlement: Recur; readonly now: number },
): void {
  const archive = archiveOf(database, instance, { settlement, now });
  database.instances.set(archive.instanceId, archive);
  database.ended.add(archive);

  instance.historyStart = settlement.carried.seq - 1;
  appendEntry(database, settlement.carried, now);
  instance.input = settlement.input;
  instance.isInputChecked = true;
  instance.createdAt = now;
  instance.error = null;
  instance.continuedFrom = archive.instanceId;
  instance.generation++;
  giveUpQueues(database, instance, now);
  for (const [topic, there] of [...instance.subscriptions]) {
    const kept = there.filter(({ filter }) =>
      settlement.keep.some((other) => other.topic === topic && sameFilter(other.filter, filter)),
    );
    if (kept.length === 0) endSubscription(database, instance, topic);
    else instance.subscriptions.set(topic, kept);
  }
  if (settlement.owned) {
    instance.claims++;
  } else {
    instance.owner = null;
    instance.status = 'pending';
    instance.wakeAt = now;
  }
}

/** What was, as a row of its own that has the history up to here. */
function archiveOf(
  database: MemoryDatabase,
  instance: MemoryInstance,
  { settlement, now }: { readonly settlement: Recur; readonly now: number },
): MemoryInstance {
  const { archiveId, carried } = settlement;
  const instanceId = database.instances.has(archiveId) ? `${archiveId}.${database.nextNumber()}` : archiveId;
  return {
    ...instance,
    instanceId,
    // Nobody starts with this token: whoever wants the id for something new is told of a conflict.
    startToken: `recurred ${instanceId}`,
    status: 'recurred',
    owner: null,
    wakeAt: null,
    error: null,
    finishedAt: now,
    continuedAs: instance.instanceId,
    attention: false,
    historyEnd: carried.seq - 1,
    subscriptions: new Map(),
    groups: new Set(),
    seeks: new Set(),
    mail: [],
  };
}
