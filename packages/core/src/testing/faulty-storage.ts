// A storage around another one, in which calls fail, wait or are watched as a test has planned it.
import { StorageUnavailableError } from '../domain/errors.js';
import type { ActivityTransaction, ActivityTransactions } from '../ports/activity-transaction.js';
import type { Clock } from '../ports/clock.js';
import type { InstanceStore } from '../ports/instance-store.js';
import type { LeaseStore } from '../ports/lease-store.js';
import type { MessageStore } from '../ports/message-store.js';
import type { OutboxStore } from '../ports/outbox-store.js';
import type { RetentionStore } from '../ports/retention-store.js';
import type { RunStore } from '../ports/run-store.js';
import type { Storage, StorageContext } from '../ports/storage.js';
import type { Fault, FaultPlan, TransitionCall, TransitionName } from './fault-plan.js';

interface PlannedFault {
  readonly fault: Fault;
  left: number;
}

/** Does what the storage within does, except for what was planned to go wrong. Counts every call. */
export class FaultyStorage implements Storage {
  readonly kind: string;
  readonly description: string;
  readonly reapIntervalMs: number;
  readonly leases: LeaseStore;
  readonly runs: RunStore;
  readonly instances: InstanceStore;
  readonly messages: MessageStore;
  readonly outbox: OutboxStore;
  readonly retention: RetentionStore;
  readonly transactions: ActivityTransactions;
  /** May be replaced at any time; holds for calls from then on. */
  plan: FaultPlan;
  readonly #storage: Storage;
  readonly #counts = new Map<TransitionName, number>();
  readonly #planned = new Map<TransitionName, PlannedFault[]>();
  #total = 0;
  #down = false;
  #clock: Clock | undefined;

  constructor(storage: Storage, plan: FaultPlan = {}) {
    this.#storage = storage;
    this.plan = plan;
    this.kind = storage.kind;
    this.description = `${storage.description}, with faults`;
    this.reapIntervalMs = storage.reapIntervalMs;
    const { leases, runs, instances, messages, outbox, retention } = storage;
    this.leases = {
      register: (worker) => this.#call('leases.register', worker, () => leases.register(worker)),
      upkeep: (request) => this.#call('leases.upkeep', request, () => leases.upkeep(request)),
      retire: (worker) => this.#call('leases.retire', worker, () => leases.retire(worker)),
    };
    this.runs = {
      commit: (batch) => this.#call('runs.commit', batch, () => runs.commit(batch)),
      claim: (request) => this.#call('runs.claim', request, () => runs.claim(request)),
      readSignals: (request) => this.#call('runs.readSignals', request, () => runs.readSignals(request)),
      mail: (request) => this.#call('runs.mail', request, () => runs.mail(request)),
      history: (request) => this.#call('runs.history', request, () => runs.history(request)),
    };
    this.instances = {
      get: (instanceId) => this.#call('instances.get', instanceId, () => instances.get(instanceId)),
      list: (request) => this.#call('instances.list', request, () => instances.list(request)),
      finished: (instanceIds) => this.#call('instances.finished', instanceIds, () => instances.finished(instanceIds)),
      workflowsOf: (instanceIds) => this.#call('instances.workflowsOf', instanceIds, () => instances.workflowsOf(instanceIds)),
      requestCancel: (request) => this.#call('instances.requestCancel', request, () => instances.requestCancel(request)),
      history: (request) => this.#call('instances.history', request, () => instances.history(request)),
    };
    this.messages = {
      fixMode: (request) => this.#call('messages.fixMode', request, () => messages.fixMode(request)),
      members: (group) => this.#call('messages.members', group, () => messages.members(group)),
      deliver: (message) => this.#call('messages.deliver', message, () => messages.deliver(message)),
      deliverAll: (list) => this.#call('messages.deliverAll', list, () => messages.deliverAll(list)),
    };
    this.outbox = {
      claim: (request) => this.#call('outbox.claim', request, () => outbox.claim(request)),
      settle: (request) => this.#call('outbox.settle', request, () => outbox.settle(request)),
      list: (request) => this.#call('outbox.list', request, () => outbox.list(request)),
      requeue: (request) => this.#call('outbox.requeue', request, () => outbox.requeue(request)),
      purge: (request) => this.#call('outbox.purge', request, () => outbox.purge(request)),
    };
    this.retention = {
      purge: (request) => this.#call('retention.purge', request, () => retention.purge(request)),
    };
    this.transactions = {
      blocksCommits: storage.transactions.blocksCommits,
      begin: (options) =>
        this.#call('transactions.begin', options, async () => this.#wrap(await storage.transactions.begin(options))),
    };
  }

  open(context: StorageContext): Promise<void> {
    this.#clock = context.clock;
    return this.#call('open', context, () => this.#storage.open(context));
  }

  close(): Promise<void> {
    return this.#call('close', undefined, () => this.#storage.close());
  }

  /** How often a transition was called; without a name: all of them. */
  count(name?: TransitionName): number {
    return name === undefined ? this.#total : (this.#counts.get(name) ?? 0);
  }

  /** Plans a fault for the next calls of a transition, `times` of them (default 1). Comes before what the plan says. */
  failNext(name: TransitionName, fail: 'before' | 'after', times = 1): void {
    const planned = this.#planned.get(name) ?? [];
    this.#planned.set(name, [...planned, { fault: { fail }, left: times }]);
  }

  /** While true, every call fails before it has an effect: the database is down. */
  setDown(down: boolean): void {
    this.#down = down;
  }

  async #call<T>(name: TransitionName, argument: unknown, work: () => Promise<T>): Promise<T> {
    const count = this.count(name) + 1;
    this.#counts.set(name, count);
    const call: TransitionCall = { name, count, total: ++this.#total, argument };
    const { before, after } = this.plan;
    const fault = this.#faultOf(call);
    await before?.(call);
    await this.#pause(fault.delayMs);
    if (fault.fail === 'before') throw unavailable(call, 'nothing has happened');
    const answer = await work();
    await after?.(call);
    await this.#pause(fault.answerDelayMs);
    if (fault.fail === 'after') throw unavailable(call, 'it took effect');
    return answer;
  }

  #faultOf(call: TransitionCall): Fault {
    const never = call.name === 'close' || call.name === 'transactions.rollback';
    const fault = this.#down ? ({ fail: 'before' } as const) : (this.#takePlanned(call.name) ?? this.plan.fault?.(call) ?? {});
    if (!never) return fault;
    const { fail: _, ...rest } = fault;
    return rest;
  }

  #takePlanned(name: TransitionName): Fault | undefined {
    const planned = this.#planned.get(name) ?? [];
    const next = planned[0];
    if (next === undefined) return undefined;
    if (--next.left <= 0) planned.shift();
    return next.fault;
  }

  async #pause(ms: number | undefined): Promise<void> {
    const clock = this.#clock;
    if (ms === undefined || clock === undefined) return;
    await new Promise<void>((resolve) => void clock.schedule(ms, resolve));
  }

  #wrap(transaction: ActivityTransaction): ActivityTransaction {
    return {
      handle: transaction.handle,
      commit: (request) => this.#call('transactions.commit', request, () => transaction.commit(request)),
      rollback: () => this.#call('transactions.rollback', undefined, () => transaction.rollback()),
    };
  }
}

/** The storage, with a plan of what goes wrong; faults can also be planned later, by the methods of what is returned. */
export function withFaults(storage: Storage, plan: FaultPlan = {}): FaultyStorage {
  return new FaultyStorage(storage, plan);
}

function unavailable(call: TransitionCall, truth: string): StorageUnavailableError {
  return new StorageUnavailableError(`planned fault at ${call.name}, call ${call.count}; in truth, ${truth}`);
}
