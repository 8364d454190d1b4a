// One test's database and the processes on it: starts them, looks into the storage, clears all away at the end.
import { onTestFinished } from 'vitest';
import { StorageUnavailableError, type HistoryEntry, type InstanceRecord, type Storage } from '../ports/index.js';
import type { Note, WorkerPlan } from './durability-plan.js';
import type { DurabilityFixture, DurabilityFixtureFactory, ResolvedDurabilityOptions } from './durability-fixture.js';
import { DurabilityProcess } from './durability-process.js';

/** Gives a running test its bench. */
export interface DurabilitySuite {
  readonly options: ResolvedDurabilityOptions;
  readonly bench: (factory?: DurabilityFixtureFactory) => Promise<DurabilityBench>;
}

export function createDurabilitySuite(factory: DurabilityFixtureFactory, options: ResolvedDurabilityOptions): DurabilitySuite {
  return {
    options,
    async bench(own = factory) {
      const bench = new DurabilityBench(await own(), options);
      onTestFinished(() => bench.close());
      return bench;
    },
  };
}

/** How often is looked at what can only be seen by looking, in milliseconds. */
const lookEveryMs = 10;

export class DurabilityBench {
  readonly fixture: DurabilityFixture;
  readonly #options: ResolvedDurabilityOptions;
  readonly #storages = new Map<string, Promise<Storage>>();
  readonly #processes: DurabilityProcess[] = [];

  constructor(fixture: DurabilityFixture, options: ResolvedDurabilityOptions) {
    this.fixture = fixture;
    this.#options = options;
  }

  /** Starts a process, and does not wait for it. */
  launch(plan: Partial<WorkerPlan> & Pick<WorkerPlan, 'workflows'>): DurabilityProcess {
    const worker = new DurabilityProcess(
      this.fixture.spawn({ place: this.fixture.place, leaseMs: this.#options.leaseMs, ...plan }),
    );
    this.#processes.push(worker);
    return worker;
  }

  /** Starts a process; resolves when its app runs. */
  async worker(plan: Partial<WorkerPlan> & Pick<WorkerPlan, 'workflows'>): Promise<DurabilityProcess> {
    const worker = this.launch(plan);
    await worker.ready();
    return worker;
  }

  /** A storage for looking. Opening it makes the schema. */
  async storage(place = this.fixture.place): Promise<Storage> {
    const known = this.#storages.get(place);
    if (known !== undefined) return known;
    const opening = this.fixture.open(place);
    this.#storages.set(place, opening);
    return opening;
  }

  async get(instanceId: string): Promise<InstanceRecord | undefined> {
    return await (await this.storage()).instances.get(instanceId);
  }

  /** All instances, in no order that matters; there must be fewer than 1,000. */
  async instances(): Promise<readonly InstanceRecord[]> {
    const everything = { workflowName: undefined, instanceId: undefined, startedAfter: undefined, startedBefore: undefined };
    const request = { status: undefined, ...everything, input: [], limit: 1000, after: undefined };
    return await (await this.storage()).instances.list(request);
  }

  async history(instanceId: string): Promise<readonly HistoryEntry[]> {
    return await (await this.storage()).runs.history({ instanceId, afterSeq: 0, limit: 10_000 });
  }

  async histories(instanceIds: readonly string[]): Promise<ReadonlyMap<string, readonly HistoryEntry[]>> {
    return new Map(await Promise.all(instanceIds.map(async (id) => [id, await this.history(id)] as const)));
  }

  /** What all processes have noted so far, in order. */
  async notes(): Promise<readonly Note[]> {
    const lines = (await this.fixture.notes()).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Note);
  }

  /** Looks until there is something other than false, null and undefined, and gives that. A database that is down is no answer. */
  async until<T>(what: string, look: () => Promise<T | false | null | undefined>, timeoutMs = 60_000): Promise<T> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const seen = await look().catch((error: unknown) => {
        if (error instanceof StorageUnavailableError) return undefined;
        throw error;
      });
      if (seen !== false && seen !== null && seen !== undefined) return seen;
      this.#expectNoCrash();
      if (performance.now() > end) {
        const said = this.#processes.map((worker) => `--- process ${worker.pid}\n${worker.output.slice(-3000)}`).join('\n');
        throw new Error(`${what}: did not come true within ${timeoutMs} ms. The processes said:\n${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  /** Resolves when all of these have ended. */
  async untilFinished(instanceIds: readonly string[], timeoutMs?: number): Promise<void> {
    const { instances } = await this.storage();
    const isDone = async () => (await instances.finished(instanceIds)).length === instanceIds.length;
    await this.until(`${instanceIds.length} instances end`, isDone, timeoutMs);
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((worker) => worker.kill()));
    for (const storage of this.#storages.values()) {
      await storage.then(
        (opened) => opened.close(),
        () => undefined,
      );
    }
    await this.fixture.cleanup();
    this.#expectNoCrash();
  }

  #expectNoCrash(): void {
    const crashed = this.#processes.find((worker) => worker.crashed);
    if (crashed !== undefined) throw new Error(`process ${crashed.pid} ended by an error:\n${crashed.output.slice(-5000)}`);
  }
}
