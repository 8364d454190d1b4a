// One of the two sides of the model test: carries commands out on its storage and says what it saw.
import { LeaseLostError, type ProgressBatch, type Storage } from '../ports/index.js';
import { makeModelBatch } from './model-batch.js';
import { modelChannels, modelInstances, modelWorkers, type ModelCommand } from './model-commands.js';
import { ModelNames } from './model-names.js';
import { byId, viewHistory, viewMail, viewRecord, whenIs } from './model-view.js';

const hour = 3_600_000;

type Claim = ModelCommand & { readonly call: 'claim' };
type Commit = ModelCommand & { readonly call: 'commit' };

export interface ModelSideOptions {
  readonly storage: Storage;
  /** Part of all ids, so that each run has its own. */
  readonly prefix: string;
  /** Lets that many milliseconds pass for the storage. */
  readonly pass: (ms: number) => Promise<void>;
}

export class ModelSide {
  readonly #storage: Storage;
  readonly #names: ModelNames;
  readonly #pass: (ms: number) => Promise<void>;
  readonly #lastBatch = new Map<number, ProgressBatch>();
  #tokens = 0;

  constructor(options: ModelSideOptions) {
    this.#storage = options.storage;
    this.#names = new ModelNames(options.prefix);
    this.#pass = options.pass;
  }

  /** Registers the one that reaps, and all workers but the last, so that there is a stranger too; each owns an instance. */
  async begin(): Promise<void> {
    await this.#register(this.#names.reaper, []);
    for (let worker = 0; worker < modelWorkers - 1; worker++) {
      await this.run({ call: 'register', worker, workflows: [0, 1] });
      const step = { instance: worker, start: 'owned', entries: 1, subscribe: 0, take: null, settlement: null } as const;
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
    const { instances } = this.#storage;
    const now = await this.#now();
    const ids = Array.from({ length: modelInstances }, (_, index) => this.#names.instance(index));
    return {
      instances: await Promise.all(ids.map((instanceId) => this.#instanceState(instanceId, now))),
      finished: byId(await instances.finished(ids)),
    };
  }

  /** Takes all workers away, so that the next run meets none of them. */
  async end(): Promise<void> {
    const workers = Array.from({ length: modelWorkers }, (_, index) => this.#names.worker(index));
    for (const workerId of [...workers, this.#names.reaper]) await this.#storage.leases.retire({ workerId });
  }

  async #carryOut(command: ModelCommand): Promise<unknown> {
    const { leases, runs, instances } = this.#storage;
    switch (command.call) {
      case 'register':
        await this.#register(this.#names.worker(command.worker), this.#workflows(command.workflows));
        return 'registered';
      case 'heartbeat':
        return (await leases.heartbeat({ workerId: this.#names.worker(command.worker), leaseMs: hour })).alive;
      case 'retire':
        return leases.retire({ workerId: this.#names.worker(command.worker) });
      case 'expire':
        await leases.heartbeat({ workerId: this.#names.worker(command.worker), leaseMs: 1 });
        await this.#pass(3);
        return (await leases.reap({ workerId: this.#names.reaper })).reaped;
      case 'commit':
        return this.#commit(await this.#batch(command), command.worker);
      case 'repeat': {
        const batch = this.#lastBatch.get(command.worker);
        return batch === undefined ? 'nothing to repeat' : this.#commit(batch, command.worker);
      }
      case 'claim':
        return this.#claim(command);
      case 'readSignals': {
        const instanceIds = command.instances.map((index) => this.#names.instance(index));
        const { mailLimit } = command;
        const read = await runs.readSignals({ workerId: this.#names.worker(command.worker), instanceIds, mailLimit });
        return byId(read).map((signals) => ({ ...signals, mail: viewMail(signals.mail) }));
      }
      case 'deliver': {
        const { outcome, receivers, wakeups } = await instances.deliver({
          // Some ids come twice, with other data.
          eventId: `e${command.event % 8}`,
          source: this.#names.source,
          channel: this.#names.channel(command.channel),
          data: `${command.event}`,
          targetInstanceId: command.target === null ? null : this.#names.instance(command.target),
        });
        return { outcome, receivers: outcome === 'delivered' ? receivers : 0, wakes: wakeups.length > 0 };
      }
      case 'cancel': {
        const { instance, reason } = command;
        return (await instances.requestCancel({ instanceId: this.#names.instance(instance), reason })).outcome;
      }
    }
  }

  async #claim(command: Claim): Promise<unknown> {
    const { claimed, attention, nextDueAt, now } = await this.#storage.runs.claim({
      workerId: this.#names.worker(command.worker),
      workflowNames: this.#workflows(command.workflows),
      limit: command.nothing ? 0 : 1000,
      historyLimit: command.historyLimit,
      mailLimit: command.mailLimit,
      holding: command.lost ? [] : null,
    });
    this.#forgetSettled(command.worker, new Set(claimed.map((run) => run.instanceId)));
    const runs = byId(claimed).map(({ mail, history, createdAt: _, ...run }) => ({
      ...run,
      mail: viewMail(mail),
      history: viewHistory(history, now),
    }));
    return { runs, attention: [...attention].sort(), next: whenIs(nextDueAt, now) };
  }

  async #batch({ steps, worker }: Commit): Promise<ProgressBatch> {
    return makeModelBatch(steps, {
      storage: this.#storage,
      names: this.#names,
      worker,
      now: await this.#now(),
      nextToken: () => this.#names.token(++this.#tokens),
    });
  }

  async #commit(batch: ProgressBatch, worker: number): Promise<unknown> {
    const { conflicts, refused } = await this.#storage.runs.commit(batch);
    // Only what took effect is repeated: what was refused for want of a lease is not made again by that worker.
    this.#lastBatch.set(worker, batch);
    return { conflicts: [...conflicts].sort(), refused: [...refused].sort() };
  }

  /**
   * A settlement that is repeated when its worker has claimed the instance again cannot be told from a new one by what the port
   * passes, so that storages may differ there.
   */
  #forgetSettled(worker: number, claimed: ReadonlySet<string>): void {
    const settled = this.#lastBatch.get(worker)?.settlements ?? [];
    if (settled.some(({ instanceId }) => claimed.has(instanceId))) this.#lastBatch.delete(worker);
  }

  async #instanceState(instanceId: string, now: number): Promise<unknown> {
    const { instances, runs } = this.#storage;
    const channels = Array.from({ length: modelChannels }, (_, index) => this.#names.channel(index));
    const mail = channels.map((channel) => runs.mail({ instanceId, channel, afterMailId: null, limit: 1000 }));
    return {
      record: viewRecord(await instances.get(instanceId), now),
      history: viewHistory(await runs.history({ instanceId, afterSeq: 0, limit: 1000 }), now),
      mail: (await Promise.all(mail)).map(viewMail),
    };
  }

  async #now(): Promise<number> {
    return (await this.#storage.leases.heartbeat({ workerId: this.#names.reaper, leaseMs: hour })).now;
  }

  async #register(workerId: string, workflowNames: readonly string[]): Promise<void> {
    await this.#storage.leases.register({ workerId, serviceName: 'model', leaseMs: hour, workflowNames });
  }

  #workflows(indexes: readonly number[]): readonly string[] {
    return indexes.map((index) => this.#names.workflow(index));
  }
}
