// The worker processes: starts them, kills one for show, and replaces any that dies.
import { Child } from './child-process.js';
import type { Resumption, WorkerSettings } from './worker.js';

interface Worker {
  readonly number: number;
  readonly child: Child<{ readonly workerId: string }>;
}

export interface WorkerPoolOptions {
  readonly settings: WorkerSettings;
  readonly logFile: string;
  /** Told of orders that go on, where the settings ask for that. */
  readonly onResumption?: ((resumption: Resumption) => void) | undefined;
  readonly say: (line: string) => void;
}

export class WorkerPool {
  /** Rejects when a worker cannot be started; never resolves. */
  readonly failed: Promise<never>;
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<Worker>();
  #fail!: (error: Error) => void;
  #started = 0;
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined); // for who is not interested
  }

  start(count: number): void {
    for (; count > 0; count--) this.#startOne();
  }

  /** Kills the worker that is there for longest; resolves with its identity when it is gone, undefined when there is none. */
  async killOne(): Promise<{ readonly workerId: string; readonly number: number } | undefined> {
    const [worker] = this.#workers;
    if (worker === undefined) return undefined;
    const { workerId } = await worker.child.ready;
    this.#workers.delete(worker);
    worker.child.kill();
    await worker.child.ended;
    return { workerId, number: worker.number };
  }

  /** Lets all of them end in good order. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#workers].map(({ child }) => child.stop()));
  }

  #startOne(): void {
    const { settings, logFile, onResumption, say } = this.#options;
    const number = ++this.#started;
    const onReport = onResumption as ((report: unknown) => void) | undefined;
    const worker: Worker = { number, child: new Child({ file: 'worker', settings, logFile, onReport }) };
    this.#workers.add(worker);
    worker.child.ready.then(
      () => say(`worker ${number} is process ${worker.child.pid}`),
      (error: Error) => this.#fail(error),
    );
    void worker.child.ended.then(async () => {
      const isSurprise = this.#workers.delete(worker) && !this.#stopping;
      const cameUp = await worker.child.ready.then(
        () => true,
        () => false,
      );
      // One that never came up would not do so a second time.
      if (this.#stopping || !cameUp) return;
      if (isSurprise) say(`worker ${number} has ended, and nobody knows why`);
      this.#startOne();
    });
  }
}
