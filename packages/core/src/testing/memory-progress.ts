// The commit of a batch of progress in memory.
import type { NewHistoryEntry } from '../domain/history.js';
import { handedWakeup, type HandedMessage } from '../ports/message-store.js';
import type { CommitNews, NewInstance, ProgressBatch, ProgressResult } from '../ports/run-store.js';
import type { MemoryDatabase } from './memory-database.js';
import { applyEffects, tellConflict, type MemoryEffectScope } from './memory-effects.js';
import { appendEntry } from './memory-history.js';
import { createMemoryInstance } from './memory-instance.js';
import { settle } from './memory-settlements.js';
import { subscribe } from './memory-topics.js';

/** One batch, all or nothing: what can throw comes before the first change. */
export function commitProgress(database: MemoryDatabase, batch: ProgressBatch, now: number): ProgressResult {
  const { workerId } = batch;
  database.requireAlive(workerId);
  requireInstances(database, batch);
  const scope: MemoryEffectScope = { workerId, now, undelivered: [] };
  database.handed.length = 0;

  const conflicts = batch.starts.filter((start) => !startInstance(database, { start, workerId, now }));
  const added = new Set(batch.entries.filter((entry) => appendEntry(database, entry, now)).map(keyOf));
  const repeated = new Set(batch.entries.map(keyOf).filter((key) => !added.has(key)));
  for (const subscription of batch.subscriptions) {
    // An entry that was there already brought its subscription then; it may be over since, in this very batch.
    if (subscription.seq !== undefined && repeated.has(keyOf({ instanceId: subscription.instanceId, seq: subscription.seq })))
      continue;
    // Only while it is owned: a repeated batch must not leave a subscription with an instance that has ended in the meantime.
    const instance = database.owned(subscription.instanceId, workerId);
    if (instance !== undefined) subscribe(database, instance, { subscription, now });
  }
  // Before anything goes back into a queue: what was taken does not.
  for (const { instanceId, mailId } of batch.takenMail) {
    const mail = database.instances.get(instanceId)?.mail ?? [];
    const index = mail.findIndex((piece) => String(piece.number) === mailId);
    if (index !== -1) mail.splice(index, 1);
  }
  for (const start of conflicts) tellConflict(database, start, now);
  applyEffects(
    database,
    batch.effects.filter((effect) => added.has(keyOf(effect))),
    scope,
  );
  const refused = batch.settlements.filter((settlement) => !settle(database, settlement, scope));
  return {
    conflicts: conflicts.map((start) => start.instanceId),
    refused: refused.map((settlement) => settlement.instanceId),
    undelivered: scope.undelivered,
    ...newsOf(database, batch),
    now,
  };
}

/** To whom messages of queues came. What the batch itself sent is told by the batch. */
function newsOf(database: MemoryDatabase, { workerId, effects }: ProgressBatch): Pick<CommitNews, 'wakeups' | 'attention'> {
  const own = new Set(effects.map((effect) => (effect.type === 'message' ? effect.message.messageId : '')));
  const handed = database.handed.splice(0);
  const isHere = ({ instanceId }: HandedMessage): boolean => database.owned(instanceId, workerId) !== undefined;
  return {
    wakeups: handed.filter((one) => !isHere(one) && !own.has(one.messageId)).map(handedWakeup),
    attention: handed.filter(isHere).map(({ instanceId }) => instanceId),
  };
}

function keyOf({ instanceId, seq }: Pick<NewHistoryEntry, 'instanceId' | 'seq'>): string {
  return `${seq} ${instanceId}`;
}

function requireInstances(database: MemoryDatabase, batch: ProgressBatch): void {
  const started = new Set(batch.starts.map((start) => start.instanceId));
  for (const { instanceId } of [...batch.entries, ...batch.subscriptions]) {
    if (!started.has(instanceId) && !database.instances.has(instanceId)) {
      throw new Error(`there is no instance ${JSON.stringify(instanceId)} to which an entry or a subscription could belong`);
    }
  }
}

/** @returns false when the id belongs to an instance of another start. */
function startInstance(
  database: MemoryDatabase,
  { start, workerId, now }: { readonly start: NewInstance; readonly workerId: string; readonly now: number },
): boolean {
  const existing = database.instances.get(start.instanceId);
  if (existing !== undefined) return existing.startToken === start.startToken;
  createMemoryInstance(database, { start, workerId, isInputChecked: true, now });
  return true;
}
