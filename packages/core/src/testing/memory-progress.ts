// The commit of a batch of progress in memory.
import type { NewHistoryEntry } from '../domain/history.js';
import type { NewInstance, ProgressBatch, ProgressResult, Settlement } from '../ports/run-store.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';

/** One batch, all or nothing: what can throw comes before the first change. */
export function commitProgress(database: MemoryDatabase, batch: ProgressBatch, now: number): ProgressResult {
  database.requireAlive(batch.workerId);
  requireInstances(database, batch);

  const conflicts = batch.starts.filter((start) => !startInstance(database, { start, workerId: batch.workerId, now }));
  for (const entry of batch.entries) appendEntry(database, entry, now);
  for (const { instanceId, channel } of batch.subscriptions) {
    // Only while it is owned: a repeated batch must not leave a subscription with an instance that has ended in the meantime.
    database.owned(instanceId, batch.workerId)?.subscriptions.add(channel);
  }
  for (const { instanceId, mailId } of batch.takenMail) {
    const mail = database.instances.get(instanceId)?.mail ?? [];
    const index = mail.findIndex((piece) => String(piece.number) === mailId);
    if (index !== -1) mail.splice(index, 1);
  }
  const refused = batch.settlements.filter((settlement) => {
    const instance = database.owned(settlement.instanceId, batch.workerId);
    // Not owned any more, or by a later claim: this very settlement has been made before.
    if (instance?.claims !== settlement.claim) return false;
    return !settle(database, { instance, settlement, now });
  });
  return {
    conflicts: conflicts.map((start) => start.instanceId),
    refused: refused.map((settlement) => settlement.instanceId),
    now,
  };
}

/** Adds an entry in its place. One with its number that is there already stays as it is. */
export function appendEntry(database: MemoryDatabase, entry: NewHistoryEntry, now: number): void {
  const history = database.instances.get(entry.instanceId)?.history;
  if (history === undefined || hasEntry(database, entry)) return;
  let place = history.length;
  while (place > 0 && history[place - 1]!.seq > entry.seq) place--;
  history.splice(place, 0, { ...entry, recordedAt: now });
}

/** Whether the instance has an entry of that number. */
export function hasEntry(database: MemoryDatabase, { instanceId, seq }: Pick<NewHistoryEntry, 'instanceId' | 'seq'>): boolean {
  const history = database.instances.get(instanceId)?.history ?? [];
  // From the end, where new entries belong.
  let place = history.length - 1;
  while (place >= 0 && history[place]!.seq > seq) place--;
  return history[place]?.seq === seq;
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
  const instance: MemoryInstance = {
    instanceId: start.instanceId,
    workflowName: start.workflowName,
    input: start.input,
    startToken: start.startToken,
    createdAt: now,
    status: start.owned ? 'running' : 'pending',
    output: null,
    error: null,
    cancelRequested: false,
    cancelReason: null,
    owner: start.owned ? workerId : null,
    wakeAt: start.owned ? null : now,
    finishedAt: null,
    claims: start.owned ? 1 : 0,
    attention: false,
    history: [],
    subscriptions: new Set(),
    mail: [],
  };
  database.instances.set(start.instanceId, instance);
  database.open.add(instance);
  return true;
}

/** @returns false when it is refused; then nothing of it was done. */
function settle(
  database: MemoryDatabase,
  { instance, settlement, now }: { readonly instance: MemoryInstance; readonly settlement: Settlement; readonly now: number },
): boolean {
  switch (settlement.type) {
    case 'park':
      // The owner has not seen all that came: were it put away now, nobody would wake it for that.
      if (instance.attention) return false;
      instance.status = settlement.status;
      instance.wakeAt = settlement.wakeAt;
      break;
    case 'release':
      instance.status = 'pending';
      instance.wakeAt = settlement.wakeAt ?? now;
      break;
    case 'stall':
      instance.status = 'stalled';
      instance.error = settlement.error;
      instance.wakeAt = settlement.wakeAt;
      break;
    case 'finish':
      if (settlement.status !== 'cancelled' && instance.cancelRequested) return false;
      instance.status = settlement.status;
      instance.output = settlement.output;
      instance.error = settlement.error;
      instance.wakeAt = null;
      instance.finishedAt = now;
      instance.subscriptions.clear();
      instance.mail.length = 0;
      database.open.delete(instance);
      break;
  }
  instance.owner = null;
  return true;
}
