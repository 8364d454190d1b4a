// The commit of a batch of progress in memory.
import type { NewHistoryEntry } from '../domain/history.js';
import { handedWakeup, type HandedMessage } from '../ports/message-store.js';
import type { NewInstance } from '../ports/new-instance.js';
import type { CommitNews, HandedMail, ProgressBatch, ProgressResult } from '../ports/progress.js';
import { showMail } from './memory-claims.js';
import type { MemoryDatabase } from './memory-database.js';
import { applyEffects, tellConflict, type MemoryEffectScope } from './memory-effects.js';
import { appendEntry } from './memory-history.js';
import { createMemoryInstance } from './memory-instance.js';
import { knowsAll, settle } from './memory-settlements.js';
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
  const seen = new Map((batch.seen ?? []).map(({ instanceId, mark }) => [instanceId, mark]));
  const effects = batch.effects.filter((effect) => added.has(keyOf(effect)));
  // Who begins to seek and knows all that came to it is given what it gets with the answer.
  const known = new Map<string, number>();
  for (const { type, instanceId } of effects) {
    const instance = type === 'seek' ? database.owned(instanceId, workerId) : undefined;
    if (instance !== undefined && knowsAll(instance, seen)) known.set(instanceId, instance.drawn);
  }
  applyEffects(database, effects, scope);
  const refused = batch.settlements.filter((settlement) => !settle(database, settlement, { ...scope, seen }));
  return {
    conflicts: conflicts.map((start) => start.instanceId),
    refused: refused.map((settlement) => settlement.instanceId),
    undelivered: scope.undelivered,
    ...newsOf(database, batch, known),
    now,
  };
}

/**
 * To whom messages of queues came. What the batch itself sent is told by the batch.
 * @param known how often something had happened to those that knew of all of it.
 */
function newsOf(
  database: MemoryDatabase,
  { workerId, effects }: ProgressBatch,
  known: ReadonlyMap<string, number>,
): Pick<CommitNews, 'wakeups' | 'attention' | 'handed'> {
  const own = new Set(effects.map((effect) => (effect.type === 'message' ? effect.message.messageId : '')));
  const all = database.handed.splice(0);
  const isHere = ({ instanceId }: HandedMessage): boolean => database.owned(instanceId, workerId) !== undefined;
  const attention: string[] = [];
  const handed: HandedMail[] = [];
  for (const { instanceId, topic, messageId } of all.filter(isHere)) {
    const { drawn, mail } = database.instances.get(instanceId)!;
    const piece = mail.findLast((each) => each.topic === topic && each.messageId === messageId && each.queued !== null);
    // Exactly this has happened to it since: the mail of two topics, and what else came by this batch, is for it to read.
    const isAll = known.get(instanceId) === drawn - 1;
    if (isAll && piece !== undefined) handed.push({ instanceId, mail: showMail(piece), mark: String(drawn) });
    else attention.push(instanceId);
  }
  const wakeups = all.filter((one) => !isHere(one) && !own.has(one.messageId)).map(handedWakeup);
  return { wakeups, attention, handed };
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
