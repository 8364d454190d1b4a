// One of the two sides of the model test: carries commands out on its storage and says what it saw.
import {
  LeaseLostError,
  type EventResult,
  type LeaseRenewal,
  type ProgressBatch,
  type Storage,
  type UpkeepResult,
} from '../ports/index.js';
import { makeModelBatch, makeModelMessage } from './model-batch.js';
import { modelEvents, modelModes, modelWorkers, type ModelCommand, type ModelRelayResult } from './model-commands.js';
import { ModelNames } from './model-names.js';
import { modelState } from './model-state.js';
import { byId, viewHistory, viewMail, whenIs } from './model-view.js';

const hour = 3_600_000;

type Claim = ModelCommand & { readonly call: 'claim' };
type Commit = ModelCommand & { readonly call: 'commit' };

export interface ModelSideOptions {
  /** One for each worker, since a storage serves one app, and one for the reaper: {@link modelStorages} in all. */
  readonly storages: readonly Storage[];
  /** Part of all ids, so that each run has its own. */
  readonly prefix: string;
  /** Lets that many milliseconds pass for the storage. */
  readonly pass: (ms: number) => Promise<void>;
}

/** How many storages a side needs. */
export const modelStorages = modelWorkers + 1;

/** One app: its identity changes when it was declared dead and joins again. */
interface ModelWorker {
  readonly storage: Storage;
  life: number;
  isAlive: boolean;
  lastBatch: ProgressBatch | undefined;
}

export class ModelSide {
  readonly #workers: readonly ModelWorker[];
  /** Of the reaper, which looks as well. */
  readonly #storage: Storage;
  readonly #names: ModelNames;
  readonly #pass: (ms: number) => Promise<void>;
  /** The latest claim of each instance that was claimed; one that is owned and not in here was started so. */
  readonly #claims = new Map<string, number>();
  #tokens = 0;
  #messages = 0;

  constructor(options: ModelSideOptions) {
    const [reaping, ...working] = options.storages;
    this.#storage = reaping!;
    this.#workers = working.map((storage) => ({ storage, life: 1, isAlive: false, lastBatch: undefined }));
    this.#names = new ModelNames(options.prefix);
    this.#pass = options.pass;
  }

  /** Registers the one that reaps, and all workers but the last, so that there is a stranger too; each owns an instance. */
  async begin(): Promise<void> {
    const reaper = { workerId: this.#names.reaper, workflowNames: [] };
    await this.#storage.leases.register({ ...reaper, serviceName: 'model', leaseMs: hour, starts: [] });
    for (const [index, mode] of modelModes.entries()) {
      await this.#storage.messages.fixMode({ topic: this.#names.topic(modelEvents + index), mode });
    }
    for (let worker = 0; worker < modelWorkers - 1; worker++) {
      await this.run({ call: 'register', worker, workflows: [0, 1] });
      const step = {
        instance: worker,
        start: 'owned',
        entries: 1,
        effect: null,
        subscribe: worker,
        take: null,
        settlement: null,
      } as const;
      await this.run({ call: 'commit', worker, steps: [step] });
    }
  }

  /** @returns the answer, fit for comparison. */
  async run(command: ModelCommand): Promise<unknown> {
    try {
      return await this.#carryOut(command);
    } catch (error) {
      if (error instanceof LeaseLostError) return { leaseLost: error.workerId };
      throw error;
    }
  }

  /** All that can be seen from outside, fit for comparison. */
  async state(): Promise<unknown> {
    return await modelState(this.#storage, this.#names, await this.#now());
  }

  /** Takes all workers away, so that the next run meets none of them. */
  async end(): Promise<void> {
    for (let worker = 0; worker < modelWorkers; worker++) await this.run({ call: 'retire', worker });
    await this.#storage.leases.retire({ workerId: this.#names.reaper });
    const all = { status: undefined, eventIds: undefined, type: undefined, before: undefined };
    await this.#storage.outbox.purge({ ...all, limit: 1000 });
  }

  async #carryOut(command: ModelCommand): Promise<unknown> {
    switch (command.call) {
      case 'deliver': {
        const { outcome, receivers, wakeups } = await this.#storage.messages.deliver({
          // Some ids come twice, with other data.
          messageId: `e${command.event % 8}`,
          source: this.#names.source,
          topic: this.#names.topic(command.topic),
          data: `${command.event}`,
          to:
            command.target === null
              ? { type: 'subscribers' }
              : { type: 'instance', instanceId: this.#names.instance(command.target) },
          starts: null,
        });
        return { outcome, receivers: outcome === 'delivered' ? receivers : 0, wakes: wakeups.length > 0 };
      }
      case 'publish': {
        const message = makeModelMessage(command, this.#names, ++this.#messages);
        const { outcome, receivers, wakeups } = await this.#storage.messages.deliver({
          ...message,
          source: this.#names.source,
          starts: null,
        });
        return { outcome, receivers, wakes: wakeups.length > 0 };
      }
      case 'cancel': {
        const { instance, reason } = command;
        return (await this.#storage.instances.requestCancel({ instanceId: this.#names.instance(instance), reason })).outcome;
      }
      default:
        return this.#carryOutBy(this.#workers[command.worker]!, command);
    }
  }

  async #carryOutBy(worker: ModelWorker, command: Extract<ModelCommand, { readonly worker: number }>): Promise<unknown> {
    const { leases, runs } = worker.storage;
    switch (command.call) {
      case 'register': {
        if (!worker.isAlive) worker.life++;
        worker.isAlive = true;
        const workflowNames = this.#workflows(command.workflows);
        await leases.register({ workerId: this.#id(command), serviceName: 'model', leaseMs: hour, workflowNames, starts: [] });
        return 'registered';
      }
      case 'heartbeat':
        return (await leases.upkeep({ workerId: this.#id(command), renewal: renewal(hour), suspects: [] })).alive;
      case 'retire':
        this.#dies(worker);
        return (await leases.retire({ workerId: this.#id(command) })).released;
      case 'expire':
        this.#dies(worker);
        await leases.upkeep({ workerId: this.#id(command), renewal: renewal(1), suspects: [] });
        await this.#pass(3);
        return (await this.#look()).reaped;
      case 'commit':
        return this.#commit(worker, await this.#batch(command));
      case 'repeat':
        // Only what a batch says can tell that it comes again.
        return worker.lastBatch === undefined ? 'nothing to repeat' : this.#commit(worker, structuredClone(worker.lastBatch));
      case 'relay':
        return this.#relay(worker, this.#id(command), command.result);
      case 'claim':
        return this.#claim(worker, command);
      case 'readSignals': {
        const instanceIds = command.instances.map((index) => this.#names.instance(index));
        const { mailLimit } = command;
        const read = await runs.readSignals({ workerId: this.#id(command), instanceIds, mailLimit });
        return byId(read).map((signals) => ({ ...signals, mail: viewMail(signals.mail) }));
      }
    }
  }

  async #claim(worker: ModelWorker, command: Claim): Promise<unknown> {
    const { claimed, attention, nextDueAt, now } = await worker.storage.runs.claim({
      workerId: this.#id(command),
      workflowNames: this.#workflows(command.workflows),
      limit: command.nothing ? 0 : 1000,
      historyLimit: command.historyLimit,
      mailLimit: command.mailLimit,
      holding: command.lost ? [] : null,
    });
    for (const { instanceId, claim } of claimed) this.#claims.set(instanceId, claim);
    const runs = byId(claimed).map(({ mail, history, createdAt: _, ...run }) => ({
      ...run,
      mail: viewMail(mail),
      history: viewHistory(history, now),
    }));
    return { runs, attention: [...attention].sort(), next: whenIs(nextDueAt, now) };
  }

  async #batch(command: Commit): Promise<ProgressBatch> {
    return makeModelBatch(command.steps, {
      storage: this.#storage,
      names: this.#names,
      workerId: this.#id(command),
      now: await this.#now(),
      claimOf: (instanceId) => this.#claims.get(instanceId) ?? 1,
      nextToken: () => this.#names.token(++this.#tokens),
      nextMessage: () => ++this.#messages,
    });
  }

  async #commit(worker: ModelWorker, batch: ProgressBatch): Promise<unknown> {
    const { conflicts, refused, undelivered } = await worker.storage.runs.commit(batch);
    for (const { type, instanceId, claim, ...rest } of batch.settlements) {
      // One that begins anew here is a claim of its own, counted once, however often it is told.
      const counts = type === 'recur' && 'owned' in rest && rest.owned && !refused.includes(instanceId);
      if (counts && (this.#claims.get(instanceId) ?? 1) === claim) this.#claims.set(instanceId, claim + 1);
    }
    worker.lastBatch = batch;
    const lost = undelivered.map(({ instanceId, messageId }) => `${instanceId} ${messageId}`);
    return { conflicts: [...conflicts].sort(), refused: [...refused].sort(), lost: lost.sort() };
  }

  async #relay(worker: ModelWorker, workerId: string, result: ModelRelayResult): Promise<unknown> {
    const { outbox } = worker.storage;
    const { events, nextDueAt, now } = await outbox.claim({ workerId, limit: 100 });
    const results = events.map(({ eventId }): EventResult => {
      if (result === 'retry') return { type: result, eventId, dueAt: now + hour, error: '"again"' };
      return result === 'failed'
        ? { type: result, eventId, error: '"never"' }
        : { type: result === 'sent' ? 'sent' : 'release', eventId };
    });
    if (result !== 'nothing') await outbox.settle({ workerId, results });
    const view = events.map(({ failedSince, ...event }) => ({ ...event, hasFailed: failedSince !== null }));
    return { events: view, next: whenIs(nextDueAt, now) };
  }

  /** Nothing is repeated by a later identity. */
  #dies(worker: ModelWorker): void {
    worker.isAlive = false;
    worker.lastBatch = undefined;
  }

  async #now(): Promise<number> {
    return (await this.#look()).now;
  }

  #look(): Promise<UpkeepResult> {
    return this.#storage.leases.upkeep({ workerId: this.#names.reaper, renewal: null, suspects: [] });
  }

  #id({ worker }: { readonly worker: number }): string {
    return this.#names.worker(worker, this.#workers[worker]!.life);
  }

  #workflows(indexes: readonly number[]): readonly string[] {
    return indexes.map((index) => this.#names.workflow(index));
  }
}

function renewal(leaseMs: number): LeaseRenewal {
  return { leaseMs, presence: null, workflowNames: [] };
}
