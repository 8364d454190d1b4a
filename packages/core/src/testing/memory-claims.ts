// Claims and what an owner reads of its instances, in memory.
import type { ClaimedRun, ClaimRequest, ClaimResult } from '../ports/claim.js';
import type { Mail, RunSignals } from '../ports/run-signals.js';
import type { MemoryDatabase, MemoryInstance, MemoryMail } from './memory-database.js';
import { readHistory } from './memory-history.js';

/** At most so many ids of instances with attention are told at a time. */
const attentionLimit = 1000;

export function claimRuns(database: MemoryDatabase, request: ClaimRequest, now: number): ClaimResult {
  database.requireAlive(request.workerId);
  const lost = instancesOfLostClaims(database, request);
  const limit = Math.max(0, request.limit - lost.size);
  const attention: string[] = [];
  const unowned: { readonly instance: MemoryInstance; readonly dueAt: number }[] = [];
  for (const instance of database.open) {
    if (instance.owner === request.workerId && instance.attention && !lost.has(instance) && attention.length < attentionLimit) {
      attention.push(instance.instanceId);
    }
    if (instance.owner === null && instance.wakeAt !== null && request.workflowNames.includes(instance.workflowName)) {
      unowned.push({ instance, dueAt: instance.wakeAt });
    }
  }
  // The sort is stable, and the set keeps the order of starts: what is due at the same time is claimed oldest first.
  unowned.sort((a, b) => a.dueAt - b.dueAt);
  let due = 0;
  while (due < limit && due < unowned.length && unowned[due]!.dueAt <= now) due++;
  const claimed = [...lost, ...unowned.slice(0, due).map(({ instance }) => instance)].map((instance) =>
    claimOne(instance, request),
  );
  return { claimed, attention, nextDueAt: unowned[due]?.dueAt ?? null, now };
}

export function readSignals(
  database: MemoryDatabase,
  request: { readonly workerId: string; readonly instanceIds: readonly string[]; readonly mailLimit: number },
): readonly RunSignals[] {
  database.requireAlive(request.workerId);
  const signals: RunSignals[] = [];
  for (const instanceId of new Set(request.instanceIds)) {
    const instance = database.owned(instanceId, request.workerId);
    if (instance !== undefined) signals.push(takeSignals(instance, request.mailLimit));
  }
  return signals;
}

export function readMail(
  database: MemoryDatabase,
  request: {
    readonly instanceId: string;
    readonly topic: string;
    readonly afterMailId: string | null;
    readonly limit: number;
  },
): readonly Mail[] {
  // The piece itself may have been taken since: its number still tells its place.
  const after = request.afterMailId === null ? 0 : Number(request.afterMailId);
  const mail = database.instances.get(request.instanceId)?.mail ?? [];
  return mail
    .filter((piece) => piece.topic === request.topic && piece.number > after)
    .slice(0, request.limit)
    .map(showMail);
}

/** What the worker owns without knowing it: a claim made it the owner, and the answer to that claim never came. */
function instancesOfLostClaims(database: MemoryDatabase, { holding, workerId }: ClaimRequest): ReadonlySet<MemoryInstance> {
  if (holding === null) return new Set();
  const known = new Set(holding);
  return new Set([...database.open].filter((instance) => instance.owner === workerId && !known.has(instance.instanceId)));
}

function claimOne(instance: MemoryInstance, request: ClaimRequest): ClaimedRun {
  // One more than is handed out tells whether there are more.
  const history = readHistory(instance, { afterSeq: 0, limit: request.historyLimit + 1 });
  instance.owner = request.workerId;
  instance.status = instance.isCompensating ? 'compensating' : 'running';
  instance.wakeAt = null;
  instance.error = null;
  return {
    ...takeSignals(instance, request.mailLimit),
    workflowName: instance.workflowName,
    input: instance.input,
    createdAt: instance.createdAt,
    claim: ++instance.claims,
    parentId: instance.parentId,
    generation: instance.generation,
    isInputChecked: instance.isInputChecked,
    historyStart: instance.historyStart,
    history: history.slice(0, request.historyLimit),
    historyComplete: history.length <= request.historyLimit,
  };
}

/** What is there now; the owner has seen it from here on. */
function takeSignals(instance: MemoryInstance, mailLimit: number): RunSignals {
  instance.attention = false;
  return {
    instanceId: instance.instanceId,
    cancel: instance.cancelRequested ? { reason: instance.cancelReason } : null,
    mail: instance.mail.slice(0, mailLimit).map(showMail),
  };
}

export function showMail(piece: MemoryMail): Mail {
  return { mailId: String(piece.number), topic: piece.topic, data: piece.data, isQueued: piece.queued !== null };
}
