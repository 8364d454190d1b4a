// Leases in memory: workers' rows, and what becomes of the instances of dead ones.
import type { Wakeup } from '../domain/wakeup.js';
import type { LeaseStore, PendingWork, UpkeepRequest, UpkeepResult } from '../ports/lease-store.js';
import {
  makeClaimable,
  type MemoryDatabase,
  type MemoryEvent,
  type MemoryInstance,
  type MemoryWorker,
} from './memory-database.js';
import { outboxDueAt, releaseEvents } from './memory-outbox.js';
import type { MemorySession } from './memory-session.js';

/** The most that is told of anything in one answer. */
const mostTold = 1000;
const mostMissing = 100;

export function createMemoryLeases(session: MemorySession): LeaseStore {
  return {
    register: ({ workerId, serviceName, leaseMs, workflowNames, starts, isRelayer = false }) =>
      session.run((database, now) => {
        const leaseEndsAt = now + leaseMs;
        const served = [...workflowNames];
        database.workers.set(workerId, { workerId, serviceName, workflowNames: served, isRelayer, leaseEndsAt, presence: null });
        for (const instance of database.open) {
          if (instance.status === 'stalled' && workflowNames.includes(instance.workflowName)) makeClaimable(instance, now);
        }
        for (const name of workflowNames) {
          const topics = starts.filter(({ workflowName }) => workflowName === name).map(({ topic }) => topic);
          if (topics.length === 0) database.starts.delete(name);
          else database.starts.set(name, new Set(topics));
        }
        return { now };
      }),
    upkeep: (request) => session.run((database, now) => upkeep(database, request, now)),
    retire: ({ workerId }) =>
      session.run((database, now) => {
        const released = remove(database, workerId, now);
        return { released: released.instances.length, wakeups: tellOf([released]) };
      }),
  };
}

function upkeep(database: MemoryDatabase, { workerId, renewal, suspects }: UpkeepRequest, now: number): UpkeepResult {
  const own = database.workers.get(workerId);
  if (own === undefined) {
    return {
      alive: false,
      now,
      presence: null,
      reaped: [],
      work: null,
      peers: [],
      relayers: [],
      othersOwnWork: false,
      missing: [],
      wakeups: [],
    };
  }
  if (renewal !== null) {
    own.leaseEndsAt = now + renewal.leaseMs;
    own.presence = renewal.presence !== null && database.presences.has(renewal.presence) ? renewal.presence : null;
  }
  const isMissing = ({ presence }: MemoryWorker): boolean => presence !== null && !database.presences.has(presence);
  const isSuspected = (worker: MemoryWorker): boolean =>
    suspects.some((suspect) => suspect.workerId === worker.workerId && suspect.presence === worker.presence) && isMissing(worker);
  const isDead = (worker: MemoryWorker): boolean => worker !== own && (worker.leaseEndsAt <= now || isSuspected(worker));
  const dead = [...database.workers.values()]
    .filter(isDead)
    .map((worker) => ({ workerId: worker.workerId, released: remove(database, worker.workerId, now) }));

  const others = [...database.workers.values()].filter((worker) => worker !== own);
  const owners = new Set([...database.open, ...[...database.streams.values()].flat()].map(({ owner }) => owner));
  const watched = others.filter(({ presence, workerId: other }) => presence !== null && owners.has(other));
  return {
    alive: true,
    now,
    presence: own.presence,
    reaped: dead.map(({ workerId: id, released }) => ({ workerId: id, released: released.instances.length })),
    work: renewal === null ? null : pendingWork(database, workerId, renewal.workflowNames),
    peers: others
      .filter(({ workflowNames }) => workflowNames.some((name) => own.workflowNames.includes(name)))
      .slice(0, mostTold)
      .map((worker) => worker.workerId),
    relayers: others
      .filter(({ isRelayer }) => isRelayer)
      .slice(0, mostTold)
      .map((worker) => worker.workerId),
    othersOwnWork: watched.length > 0,
    missing: watched
      .filter(isMissing)
      .slice(0, mostMissing)
      .map((worker) => ({ workerId: worker.workerId, presence: worker.presence! })),
    wakeups: tellOf(dead.map(({ released }) => released)),
  };
}

function pendingWork(database: MemoryDatabase, workerId: string, workflowNames: readonly string[]): PendingWork {
  let nextDueAt: number | null = null;
  const attention: string[] = [];
  for (const { instanceId, owner, wakeAt, workflowName, attention: hasAttention } of database.open) {
    if (owner === workerId && hasAttention && attention.length < mostTold) attention.push(instanceId);
    if (owner !== null || wakeAt === null || !workflowNames.includes(workflowName)) continue;
    if (nextDueAt === null || wakeAt < nextDueAt) nextDueAt = wakeAt;
  }
  return { nextDueAt, attention, outboxDueAt: outboxDueAt(database) };
}

interface Released {
  readonly instances: readonly MemoryInstance[];
  readonly events: readonly MemoryEvent[];
}

/** Takes a worker's row away and hands back what it owned: from here on it can write nothing. */
function remove(database: MemoryDatabase, workerId: string, now: number): Released {
  database.workers.delete(workerId);
  const events = releaseEvents(database, workerId);
  const instances = [...database.open].filter(({ owner }) => owner === workerId);
  for (const instance of instances) {
    instance.owner = null;
    instance.status = instance.isCompensating ? 'compensating' : 'pending';
    makeClaimable(instance, now);
  }
  return { instances, events };
}

function tellOf(released: readonly Released[]): readonly Wakeup[] {
  const instances = released.flatMap((one) => one.instances).slice(0, mostTold);
  const events = released.flatMap((one) => one.events).slice(0, 1);
  return [
    ...instances.map(({ instanceId, workflowName }) => ({ kind: 'workflow_resumable', instanceId, workflowName }) as const),
    ...events.map(({ eventId }) => ({ kind: 'outbox_pending', eventId }) as const),
  ];
}
