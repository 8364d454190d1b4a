// Worker processes on one database, of which one after the other is killed and replaced.
import { seededEntropy } from '../testing/index.js';
import type { WorkerProcess } from './durability-fixture.js';

const patienceMs = 60_000;

export interface CrewOptions {
  readonly size: number;
  /** Milliseconds between a replacement and the next kill, at least and at most; null: nobody is killed. */
  readonly killEvery: readonly [number, number] | null;
  readonly seed: number;
  readonly spawn: () => WorkerProcess;
}

export class SoakCrew {
  readonly #options: CrewOptions;
  readonly #workers: WorkerProcess[] = [];
  #isOver = false;
  #killing: Promise<void> = Promise.resolve();
  #kills = 0;
  #wake: () => void = () => undefined;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Resolves when all of them run. Called once. */
  async begin(): Promise<void> {
    const { size, spawn, killEvery } = this.#options;
    this.#workers.push(...Array.from({ length: size }, spawn));
    await Promise.all(this.#workers.map(ready));
    if (killEvery !== null) this.#killing = this.#kill(killEvery);
    // Told by `end`; nobody listens before.
    this.#killing.catch(() => undefined);
  }

  get kills(): number {
    return this.#kills;
  }

  /** The last that its workers have said. */
  get output(): string {
    return this.#workers.map(({ pid, output }) => `--- ${pid}\n${output.slice(-3000)}`).join('\n');
  }

  /** Ends the killing, and the workers. Rejects when one could not be replaced. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#wake();
    try {
      await this.#killing;
    } finally {
      await Promise.all(this.#workers.map((worker) => worker.kill()));
    }
  }

  async #kill([least, most]: readonly [number, number]): Promise<void> {
    const entropy = seededEntropy(this.#options.seed);
    for (;;) {
      await this.#pause(least + entropy.random() * (most - least));
      if (this.#isOver) return;
      const victim = Math.floor(entropy.random() * this.#workers.length);
      await this.#workers[victim]!.kill();
      this.#kills++;
      this.#workers[victim] = this.#options.spawn();
      await ready(this.#workers[victim]);
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#isOver) this.#wake();
    });
  }
}

async function ready(worker: WorkerProcess): Promise<void> {
  await worker.message(({ kind }: { readonly kind?: string }) => kind === 'ready', { timeout: patienceMs });
}
