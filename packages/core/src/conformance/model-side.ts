// One of the two sides of the model test: carries commands out on its storage and says what it saw, without times.
import type {
  InstanceRecord,
  Mail,
  NewEvent,
  NewInstance,
  ProgressBatch,
  RunSignals,
  Settlement,
  Storage,
} from '../ports/index.js';
import { isFinal, LeaseLostError } from '../ports/index.js';
import { modelChannels, modelInstances, modelWorkers, type ModelCommand, type ModelStep, type When } from './model-commands.js';

const hour = 3_600_000;

export interface ModelSideOptions {
  readonly storage: Storage;
  /** Part of all ids, so that each run has its own. */
  readonly prefix: string;
  /** Lets that many milliseconds pass for the storage. */
  readonly pass: (ms: number) => Promise<void>;
}

/** A commit as it was made, to be repeated. */
type Made = ProgressBatch;

export class ModelSide {
  readonly #options: ModelSideOptions;
  readonly #lastBatch = new Map<number, Made>();
  #tokens = 0;

  constructor(options: ModelSideOptions) {
    this.#options = options;
  }

  /** Registers the one that reaps, and all workers but the last, so that there is a stranger too; each owns an instance. */
  async begin(): Promise<void> {
    await this.#options.storage.leases.register({ ...this.#registration('reaper'), workflowNames: [] });
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
      if (error instanceof LeaseLostError) return { leaseLost: error.workerId.replace(this.#options.prefix, '') };
      throw error;
    }
  }

  /** All that can be seen from outside, fit for comparison. */
  async state(): Promise<unknown> {
    const { instances, runs } = this.#options.storage;
    const { now } = await this.#reaperHeartbeat();
    const ids = Array.from({ length: modelInstances }, (_, index) => this.#instanceId(index));
    const shown = await Promise.all(
      ids.map(async (instanceId) => {
        const record = await instances.get(instanceId);
        const history = await runs.history({ instanceId, afterSeq: 0, limit: 1000 });
        const mail = await Promise.all(
          Array.from({ length: modelChannels }, (_, channel) =>
            runs.mail({ instanceId, channel: `c${channel}`, afterMailId: null, limit: 1000 }),
          ),
        );
        return {
          record: record === undefined ? undefined : showRecord(record, now),
          history: history.map(({ recordedAt: _, dueAt, ...entry }) => ({ ...entry, due: category(dueAt, now) })),
          mail: mail.map(showMail),
        };
      }),
    );
    const finished = await instances.finished(ids);
    return { shown, finished: [...finished].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1)) };
  }

  /** Takes all workers away, so that the next run meets none of them. */
  async end(): Promise<void> {
    const workers = Array.from({ length: modelWorkers }, (_, index) => this.#workerId(index));
    for (const workerId of [...workers, this.#id('reaper')]) await this.#options.storage.leases.retire({ workerId });
  }

  async #carryOut(command: ModelCommand): Promise<unknown> {
    const { leases, runs, instances } = this.#options.storage;
    switch (command.call) {
      case 'register': {
        const workflowNames = this.#workflowNames(command.workflows);
        await leases.register({ ...this.#registration(`w${command.worker}`), workflowNames });
        return 'registered';
      }
      case 'heartbeat':
        return (await leases.heartbeat({ workerId: this.#workerId(command.worker), leaseMs: hour })).alive;
      case 'retire':
        return leases.retire({ workerId: this.#workerId(command.worker) });
      case 'expire': {
        await leases.heartbeat({ workerId: this.#workerId(command.worker), leaseMs: 1 });
        await this.#options.pass(3);
        return (await leases.reap({ workerId: this.#id('reaper') })).reaped;
      }
      case 'commit': {
        const batch = await this.#batch(command);
        return this.#commit(batch, command.worker);
      }
      case 'repeat': {
        const batch = this.#lastBatch.get(command.worker);
        return batch === undefined ? 'nothing to repeat' : this.#commit(batch, command.worker);
      }
      case 'claim': {
        const { claimed, attention, nextDueAt, now } = await runs.claim({
          workerId: this.#workerId(command.worker),
          workflowNames: this.#workflowNames(command.workflows),
          limit: command.nothing ? 0 : 1000,
          historyLimit: command.historyLimit,
          mailLimit: command.mailLimit,
          holding: command.lost ? [] : null,
        });
        const runsShown = claimed.map(({ mail, history, createdAt: _, ...run }) => ({
          ...run,
          mail: showMail(mail),
          history: history.map((entry) => entry.seq),
        }));
        return { claimed: byId(runsShown), attention: [...attention].sort(), next: category(nextDueAt, now) };
      }
      case 'readSignals': {
        const instanceIds = command.instances.map((index) => this.#instanceId(index));
        const { mailLimit } = command;
        const read = await runs.readSignals({ workerId: this.#workerId(command.worker), instanceIds, mailLimit });
        return byId(read.map((signals: RunSignals) => ({ ...signals, mail: showMail(signals.mail) })));
      }
      case 'deliver': {
        const { outcome, receivers, wakeups } = await instances.deliver(this.#event(command));
        return { outcome, receivers: outcome === 'delivered' ? receivers : 0, wakes: wakeups.length > 0 };
      }
      case 'cancel': {
        const { outcome } = await instances.requestCancel({
          instanceId: this.#instanceId(command.instance),
          reason: command.reason,
        });
        return outcome;
      }
    }
  }

  async #commit(batch: Made, worker: number): Promise<unknown> {
    const { conflicts, refused } = await this.#options.storage.runs.commit(batch);
    // Only what took effect is repeated: what was refused for want of a lease is not made again by that worker.
    this.#lastBatch.set(worker, batch);
    return { conflicts: [...conflicts].sort(), refused: [...refused].sort() };
  }

  /** A batch that an engine could make: it records and settles only what its worker owns, or starts in it. */
  async #batch(command: ModelCommand & { readonly call: 'commit' }): Promise<Made> {
    const workerId = this.#workerId(command.worker);
    const { now } = await this.#reaperHeartbeat();
    const parts = await Promise.all(command.steps.map((step) => this.#part(step, workerId, now)));
    return {
      workerId,
      starts: parts.flatMap((part) => part.starts),
      entries: parts.flatMap((part) => part.entries),
      subscriptions: parts.flatMap((part) => part.subscriptions),
      takenMail: parts.flatMap((part) => part.takenMail),
      settlements: parts.flatMap((part) => part.settlements),
    };
  }

  async #part(step: ModelStep, workerId: string, now: number): Promise<Omit<Made, 'workerId'>> {
    const { instances, runs } = this.#options.storage;
    const instanceId = this.#instanceId(step.instance);
    const record = await instances.get(instanceId);
    const starts: NewInstance[] = [];
    if (step.start !== 'no') {
      starts.push({
        instanceId,
        workflowName: this.#workflowName(step.instance % 2),
        input: `${step.instance}`,
        startToken: this.#id(`token-${++this.#tokens}`),
        owned: step.start === 'owned',
      });
    }
    // With a start that will be refused goes nothing else of that instance: an engine goes on only when its start is granted.
    const holds = record === undefined ? step.start === 'owned' : step.start === 'no' && record.owner === workerId;
    if (!holds) return { starts, entries: [], subscriptions: [], takenMail: [], settlements: [] };

    const history = await runs.history({ instanceId, afterSeq: 0, limit: 1000 });
    const first = (history.at(-1)?.seq ?? 0) + 1;
    const channel = `c${step.subscribe ?? 0}`;
    const mail = await runs.mail({ instanceId, channel, afterMailId: null, limit: 1000 });
    const taken = step.take === null ? undefined : mail[step.take];
    return {
      starts,
      entries: Array.from({ length: step.entries }, (_, index) => ({
        instanceId,
        seq: first + index,
        kind: 'timer_set',
        callId: `sleep:${first + index}`,
        position: first + index,
        data: null,
        dueAt: index === 0 ? now + hour : null,
      })),
      subscriptions: step.subscribe === null ? [] : [{ instanceId, channel }],
      takenMail: taken === undefined ? [] : [{ instanceId, mailId: taken.mailId }],
      settlements: step.settlement === null ? [] : [settlement(instanceId, step.settlement, now)],
    };
  }

  #event(command: ModelCommand & { readonly call: 'deliver' }): NewEvent {
    return {
      eventId: `e${command.event % 8}`,
      source: this.#id('source'),
      channel: `c${command.channel}`,
      data: `${command.event}`,
      targetInstanceId: command.target === null ? null : this.#instanceId(command.target),
    };
  }

  #reaperHeartbeat(): Promise<{ readonly now: number }> {
    return this.#options.storage.leases.heartbeat({ workerId: this.#id('reaper'), leaseMs: hour });
  }

  #registration(name: string): { readonly workerId: string; readonly serviceName: string; readonly leaseMs: number } {
    return { workerId: this.#id(name), serviceName: 'model', leaseMs: hour };
  }

  #workflowNames(workflows: readonly number[]): readonly string[] {
    return workflows.map((index) => this.#workflowName(index));
  }

  #workflowName(index: number): string {
    return this.#id(`workflow-${index}`);
  }

  #workerId(index: number): string {
    return this.#id(`w${index}`);
  }

  #instanceId(index: number): string {
    return this.#id(`i${index}`);
  }

  #id(name: string): string {
    return `${this.#options.prefix}${name}`;
  }
}

function settlement(instanceId: string, wanted: NonNullable<ModelStep['settlement']>, now: number): Settlement {
  switch (wanted.type) {
    case 'park':
      return { type: 'park', instanceId, status: wanted.status, wakeAt: time(wanted.wake, now) };
    case 'release':
      return { type: 'release', instanceId, wakeAt: time(wanted.wake, now) };
    case 'stall':
      return { type: 'stall', instanceId, wakeAt: time(wanted.wake, now) ?? now, error: '"stalled"' };
    case 'finish': {
      const output = wanted.status === 'completed' ? '"output"' : null;
      return { type: 'finish', instanceId, status: wanted.status, output, error: wanted.status === 'failed' ? '"error"' : null };
    }
  }
}

function time(when: When, now: number): number | null {
  return when === 'never' ? null : when === 'past' ? now - 1000 : now + hour;
}

function category(at: number | null, now: number): When {
  return at === null ? 'never' : at <= now ? 'past' : 'later';
}

function showRecord(record: InstanceRecord, now: number): unknown {
  const { createdAt: _, finishedAt, wakeAt, ...rest } = record;
  const wake = category(wakeAt, now);
  // What is due may be shown as pending or as what it was before: a storage need not touch what nobody has claimed yet.
  const due = rest.owner === null && wake === 'past' && !isFinal(rest.status);
  return { ...rest, ...(due ? { status: 'due', error: 'either' } : {}), wake, finished: finishedAt !== null };
}

function showMail(mail: readonly Mail[]): unknown {
  return mail.map(({ channel, data }) => `${channel} ${data}`);
}

function byId<T extends { readonly instanceId: string }>(rows: readonly T[]): readonly T[] {
  return [...rows].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
}
