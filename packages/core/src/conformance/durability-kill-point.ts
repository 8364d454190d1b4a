// A storage that kills its own process at a planned transition.
import type { ActivityTransaction, ClaimRequest, ClaimResult, Storage } from '../ports/index.js';
import type { KillPlan } from './durability-plan.js';

/**
 * Counts the transitions that move instances: commits, commits of activities' transactions, deliveries, what a relayer records, and claims that
 * found something. Killed `before` a transition, the process has done all that leads to it; killed `after` one, nothing that follows from it.
 * A kill before a claim would be the same as one after the transition that made the instance claimable: only `after` counts claims.
 */
export function killedAt(storage: Storage, { moment, count }: KillPlan): Storage {
  let reached = 0;
  const reach = (): void => {
    if (++reached === count) process.kill(process.pid, 'SIGKILL');
  };
  const transition = async <T>(work: () => Promise<T>): Promise<T> => {
    if (moment === 'before') reach();
    const answer = await work();
    if (moment === 'after') reach();
    return answer;
  };
  const { runs, instances, messages, outbox, transactions } = storage;
  const claim = async (request: ClaimRequest): Promise<ClaimResult> => {
    const answer = await runs.claim(request);
    if (moment === 'after' && answer.claimed.length > 0) reach();
    return answer;
  };
  const wrap = (transaction: ActivityTransaction): ActivityTransaction => ({
    handle: transaction.handle,
    commit: (request) => transition(() => transaction.commit(request)),
    rollback: () => transaction.rollback(),
  });
  return {
    kind: storage.kind,
    description: storage.description,
    reapIntervalMs: storage.reapIntervalMs,
    leases: storage.leases,
    runs: {
      commit: (batch) => transition(() => runs.commit(batch)),
      claim,
      readSignals: (request) => runs.readSignals(request),
      mail: (request) => runs.mail(request),
      history: (request) => runs.history(request),
    },
    instances: {
      get: (instanceId) => instances.get(instanceId),
      list: (request) => instances.list(request),
      finished: (instanceIds) => instances.finished(instanceIds),
      workflowsOf: (instanceIds) => instances.workflowsOf(instanceIds),
      requestCancel: (request) => transition(() => instances.requestCancel(request)),
      history: (request) => instances.history(request),
    },
    messages: {
      fixMode: (request) => transition(() => messages.fixMode(request)),
      members: (group) => messages.members(group),
      deliver: (message) => transition(() => messages.deliver(message)),
      deliverAll: (list) => transition(() => messages.deliverAll(list)),
    },
    outbox: {
      claim: (request) => outbox.claim(request),
      settle: (request) => transition(() => outbox.settle(request)),
      list: (request) => outbox.list(request),
      requeue: (request) => outbox.requeue(request),
      purge: (request) => outbox.purge(request),
    },
    retention: storage.retention,
    transactions: {
      blocksCommits: transactions.blocksCommits,
      begin: async (options) => wrap(await transactions.begin(options)),
    },
    open: (context) => storage.open(context),
    close: () => storage.close(),
  };
}
