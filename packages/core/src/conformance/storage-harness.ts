// One test's database: opens storages on it, registers workers, lets time pass, and clears all away at the end.
import { onTestFinished, type TestContext } from 'vitest';
import type { IncomingMessage, InstanceRecord, Storage } from '../ports/index.js';
import type {
  OptionalPart,
  ResolvedConformanceOptions,
  StorageFixture,
  StorageFixtureFactory,
  StorageNeeds,
} from './storage-fixture.js';
import { defaultWorkflow, TestWorker, type WorkerStarts } from './test-worker.js';

/** Gives a running test its harness. */
export interface Bench {
  readonly options: ResolvedConformanceOptions;
  harness(needs?: StorageNeeds): Promise<StorageHarness>;
}

export function createBench(factory: StorageFixtureFactory, options: ResolvedConformanceOptions): Bench {
  return {
    options,
    async harness(needs) {
      const harness = new StorageHarness(await factory(needs));
      onTestFinished(() => harness.close());
      return harness;
    },
  };
}

/** A message or an event in which only what matters needs to be said. */
type TestMessage = Partial<IncomingMessage> & {
  /** Short for `to` that one instance. */
  readonly targetInstanceId?: string;
};

interface WorkerOptions {
  /** Default: a new storage, as another process has it. */
  readonly storage?: Storage;
  readonly leaseMs?: number;
  readonly workflowNames?: readonly string[];
  readonly starts?: WorkerStarts;
  /** Default false. */
  readonly isRelayer?: boolean;
}

export class StorageHarness {
  readonly fixture: StorageFixture;
  readonly #storages: Storage[] = [];
  readonly #beforeClose: (() => Promise<void>)[] = [];
  #events = 0;
  #workers = 0;

  constructor(fixture: StorageFixture) {
    this.fixture = fixture;
  }

  /** A further storage on the same database. */
  async open(): Promise<Storage> {
    const storage = await this.fixture.open();
    this.#storages.push(storage);
    return storage;
  }

  /** The first storage that was opened, for looking. */
  async storage(): Promise<Storage> {
    return this.#storages[0] ?? (await this.open());
  }

  /** A registered worker. */
  async worker(options: WorkerOptions = {}): Promise<TestWorker> {
    const worker = await this.unregistered(options);
    await worker.register(options.leaseMs, options.starts, options.isRelayer);
    return worker;
  }

  /** A worker without a row: one that never registered, or as good as one that was declared dead. */
  async unregistered(options: WorkerOptions = {}): Promise<TestWorker> {
    const storage = options.storage ?? (await this.open());
    return new TestWorker(storage, `worker-${++this.#workers}`, options.workflowNames ?? [defaultWorkflow]);
  }

  /** @throws when there is no such instance. */
  async get(instanceId: string): Promise<InstanceRecord> {
    const record = await (await this.storage()).instances.get(instanceId);
    if (record === undefined) throw new Error(`there is no instance ${instanceId}`);
    return record;
  }

  /** Delivers an event, or whatever it is made into, with an id of its own. */
  async deliver(event: TestMessage = {}): ReturnType<Storage['messages']['deliver']> {
    return (await this.storage()).messages.deliver(this.event(event));
  }

  /** An event for whoever is subscribed to `event:paid`, where nothing else is said. */
  event({ targetInstanceId, ...event }: TestMessage = {}): IncomingMessage {
    const messageId = `event-${++this.#events}`;
    const whole = { messageId, source: '/tests', topic: 'event:paid', data: `{"id":"${messageId}"}`, starts: null, ...event };
    if (targetInstanceId !== undefined) return { ...whole, to: { type: 'instance', instanceId: targetInstanceId } };
    return { to: { type: 'subscribers' }, ...whole };
  }

  async cancel(instanceId: string, reason: string | null = null): ReturnType<Storage['instances']['requestCancel']> {
    return (await this.storage()).instances.requestCancel({ instanceId, reason });
  }

  /** Returns when the storage's clock shows at least `ms` milliseconds more than before. */
  async pass(ms: number): Promise<void> {
    if (this.fixture.clock !== undefined) {
      await this.fixture.clock.advance(ms);
      return;
    }
    // The database's own clock cannot be moved: read it until it is there.
    const { leases } = await this.storage();
    const look = async (): Promise<number> => (await leases.upkeep({ workerId: 'nobody', renewal: null, suspects: [] })).now;
    for (const end = (await look()) + ms; (await look()) < end;) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Something to do at the end, while the storages are still open. */
  beforeClose(work: () => Promise<void>): void {
    this.#beforeClose.push(work);
  }

  /** Ends the test as skipped when the fixture lacks a part, with the reason that the fixture gives. */
  require(context: TestContext, part: OptionalPart, present: boolean): void {
    if (!present) context.skip(this.fixture.skip[part] ?? `the fixture has no ${part} and gives no reason for it`);
  }

  /** Closes every storage, then the fixture, and reports the first thing that went wrong. */
  async close(): Promise<void> {
    const before = await Promise.allSettled(this.#beforeClose.map((work) => work()));
    const closed = await Promise.allSettled(this.#storages.map((storage) => storage.close()));
    await this.fixture.cleanup();
    for (const result of [...before, ...closed]) if (result.status === 'rejected') throw result.reason;
  }
}
