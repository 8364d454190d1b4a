// Leases in memory: workers' rows, and what becomes of the instances of dead ones.
import type { LeaseStore, ReapedWorker } from '../ports/lease-store.js';
import { makeClaimable, type MemoryDatabase } from './memory-database.js';
import type { MemorySession } from './memory-session.js';

export function createMemoryLeases(session: MemorySession): LeaseStore {
  return {
    register: ({ workerId, serviceName, leaseMs, workflowNames }) =>
      session.run((database, now) => {
        database.workers.set(workerId, { workerId, serviceName, leaseEndsAt: now + leaseMs });
        for (const instance of database.open) {
          if (instance.status === 'stalled' && workflowNames.includes(instance.workflowName)) makeClaimable(instance, now);
        }
        return { now };
      }),
    heartbeat: ({ workerId, leaseMs }) =>
      session.run((database, now) => {
        const worker = database.workers.get(workerId);
        if (worker !== undefined) worker.leaseEndsAt = now + leaseMs;
        return { alive: worker !== undefined, now };
      }),
    reap: ({ workerId }) =>
      session.run((database, now) => {
        const dead = [...database.workers.values()].filter((worker) => worker.workerId !== workerId && worker.leaseEndsAt <= now);
        const reaped = dead.map((worker): ReapedWorker => ({
          workerId: worker.workerId,
          released: remove(database, worker.workerId, now),
        }));
        return { reaped, now };
      }),
    retire: ({ workerId }) => session.run((database, now) => ({ released: remove(database, workerId, now) })),
  };
}

/** Takes a worker's row away and hands back what it owned: from here on it can write nothing. */
function remove(database: MemoryDatabase, workerId: string, now: number): number {
  database.workers.delete(workerId);
  let released = 0;
  for (const instance of database.open) {
    if (instance.owner !== workerId) continue;
    instance.owner = null;
    instance.status = 'pending';
    makeClaimable(instance, now);
    released++;
  }
  return released;
}
