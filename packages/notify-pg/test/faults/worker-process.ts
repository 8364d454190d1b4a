// Starts workers as processes, and waits for the states of their notifiers.
import type { NotifierState, NotifierStatus } from '@romancy/core/ports';
import { compileFixture, type FixtureProcess, spawnFixture } from '@romancy/test-support';
import type { FaultWorkerOptions, FaultWorkerOrder } from './fault-worker.js';

export class WorkerProcess {
  readonly #process: FixtureProcess;

  constructor(process: FixtureProcess) {
    this.#process = process;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when its notifier says that state, now or in a line that nobody has waited for yet. */
  async is(state: NotifierState, timeout = 15_000): Promise<void> {
    await this.#process.message<{ kind: string; state: string }>((line) => line.kind === 'state' && line.state === state, {
      timeout,
    });
  }

  async status(): Promise<NotifierStatus & { readonly memory: number }> {
    this.#order({ order: 'status' });
    return await this.#process.message(({ kind }: NotifierStatus & { memory: number; kind?: string }) => kind === 'status');
  }

  /** Its event loop does nothing for so long; resolves when it goes on. */
  async block(ms: number): Promise<void> {
    this.#order({ order: 'block', ms });
    await this.#process.message<{ kind: string }>(({ kind }) => kind === 'went on', { timeout: ms + 15_000 });
  }

  /** Stops the app, and waits for the end of the process. */
  async stop(): Promise<void> {
    this.#order({ order: 'stop' });
    await this.#process.exited;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  #order(order: FaultWorkerOrder): void {
    this.#process.send(order);
  }
}

/** Started and healthy. It ends with the test. */
export async function startWorker(options: FaultWorkerOptions): Promise<WorkerProcess> {
  const file = await compileFixture(new URL('./fault-worker.ts', import.meta.url));
  const worker = new WorkerProcess(spawnFixture(file, [JSON.stringify(options)]));
  await worker.is('healthy');
  return worker;
}
