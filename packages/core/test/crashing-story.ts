// Runs one instance to its end through processes that die at their commits, one after the other, on one memory database.
import { mortal, type MortalStorage } from '../src/conformance/engine-mortal-storage.js';
import { Romancy, type AnyWorkflow, type Workflow } from '../src/index.js';
import { createMemoryStorage, recordingLogger, type ManualClock, type MemoryDatabase } from '../src/testing/index.js';

export interface Crash {
  /** The so-manieth commit of that process. */
  readonly at: number;
  readonly when: 'before' | 'after';
}

export interface Story {
  readonly database: MemoryDatabase;
  readonly clock: ManualClock;
  /** The instance's workflow, with its id `i`, as the process of that number runs it. */
  readonly workflow: (life: number) => Workflow<void, unknown>;
  /** What else each process runs. Default: nothing. */
  readonly others?: readonly AnyWorkflow[];
  /** Each process but the last one dies. */
  readonly crashes: readonly Crash[];
  /** Entries of history in one read. Default: as many as ever. */
  readonly page?: number | undefined;
  /** Called at each tick at which the instance is there. */
  readonly onTick?: (tick: number) => void;
  /** Called when a process has died, or the instance has ended. */
  readonly onLifeOver?: () => void;
}

const mostTicks = 4000;

/** Until the instance has ended. @throws Error when it stalls, or does not end. */
export async function tellStory(story: Story): Promise<void> {
  const { database, clock, workflow, others = [], crashes, page, onTick, onLifeOver } = story;
  const apps: Romancy[] = [];
  let tick = 0;
  for (const [life, crash] of [...crashes, null].entries()) {
    const storage = mortal(createMemoryStorage({ database }));
    const code = workflow(life);
    const logger = recordingLogger();
    const app = new Romancy({ storage: storage.storage, clock, logger, workflows: [code, ...others], leaseDuration: '1h' });
    plan(storage, { crash: null, page });
    await drive(clock, app.start());
    const { workerId } = app.status();
    plan(storage, { crash, page });
    const isNew = !database.instances.has('i');
    if (isNew) void app.startWorkflow(code, undefined, { instanceId: 'i' }).catch(() => undefined);
    for (;;) {
      await clock.advance(5);
      tick++;
      const instance = database.instances.get('i');
      if (storage.isDead || hasEnded(database)) break;
      if (tick > mostTicks || instance?.status === 'stalled') {
        throw new Error(`stuck as ${instance?.status}: ${instance?.error}; ${JSON.stringify(logger.lines)}`);
      }
      // A process that died before the start was committed has started nothing: the next one does.
      if (instance !== undefined) onTick?.(tick);
    }
    onLifeOver?.();
    if (storage.isDead) bury(database, workerId, clock.now());
    else {
      // It lives on, and stops as one that lives: its children may have more to commit than it has come to.
      plan(storage, { crash: null, page });
      apps.push(app);
    }
    if (hasEnded(database)) break;
  }
  for (const app of apps) await drive(clock, app.stop());
}

function hasEnded(database: MemoryDatabase): boolean {
  return typeof database.instances.get('i')?.finishedAt === 'number';
}

function bury(database: MemoryDatabase, workerId: string, now: number): void {
  database.workers.delete(workerId);
  for (const instance of database.open) {
    if (instance.owner === workerId) {
      Object.assign(instance, { owner: null, status: instance.isCompensating ? 'compensating' : 'pending', wakeAt: now });
    }
  }
}

function plan(
  storage: MortalStorage,
  { crash, page }: { readonly crash: Crash | null; readonly page: number | undefined },
): void {
  let count = 0;
  const die =
    (point: Crash['when']) =>
    async ({ name, argument }: { readonly name: string; readonly argument: unknown }): Promise<void> => {
      if (page !== undefined && point === 'before') {
        if (name === 'runs.claim') (argument as { historyLimit: number }).historyLimit = page;
        if (name === 'runs.history') (argument as { limit: number }).limit = page;
      }
      if (name !== 'runs.commit' && name !== 'transactions.commit') return;
      if (point === 'before') count++;
      if (count !== crash?.at || point !== crash.when) return;
      storage.die();
      await new Promise(() => undefined);
    };
  storage.storage.plan = { before: die('before'), after: die('after') };
}

/** Steps of the clock after which a story counts as one that hangs: minutes of its time, while none that ends takes a minute. */
const mostSteps = 200_000;

/** Lets time pass until the promise is settled. */
export async function drive<T>(clock: ManualClock, promise: Promise<T>, stepMs = 5): Promise<T> {
  let over = false;
  const ended = (): void => void (over = true);
  promise.then(ended, ended);
  for (let step = 0; !over; step++) {
    if (step === mostSteps) throw new Error(`what was waited for did not come in ${step * stepMs} ms of the clock`);
    await clock.advance(stepMs);
  }
  return await promise;
}
