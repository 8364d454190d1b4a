// Takes the time from a settlement in one process to the step behind it in another.
import type { Resumption } from './worker.js';

/** How long orders took to go on, in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  /** How many went on in a process whose notifier was not healthy at that moment, or which had none. */
  readonly unheard: number;
}

/**
 * Begins when this process has a settlement in its hands and is about to send the event: the commit of the event is in the time, so
 * that nothing is left out and nothing can be negative. Ends when a worker begins the step that was waiting for it. Both are readings of
 * `process.hrtime`, which is one clock for all processes of a machine.
 */
export class Stopwatch {
  readonly #began = new Map<string, bigint>();
  readonly #took = new Map<string, number>();
  readonly #warmUp = new Set<string>();
  readonly #warmUpCount: number;
  #unheard = 0;

  /** @param warmUp so many settlements at the beginning are not counted: processes that have just started are slow at everything. */
  constructor(warmUp: number) {
    this.#warmUpCount = warmUp;
  }

  /** The first report of a settlement counts. */
  begin(instanceId: string): void {
    if (this.#began.has(instanceId) || this.#warmUp.has(instanceId)) return;
    if (this.#warmUp.size < this.#warmUpCount) this.#warmUp.add(instanceId);
    else this.#began.set(instanceId, process.hrtime.bigint());
  }

  /** The first step counts: one that is repeated goes on no sooner. */
  end({ instanceId, at, notifier }: Resumption): void {
    const began = this.#began.get(instanceId);
    if (began === undefined || this.#took.has(instanceId)) return;
    this.#took.set(instanceId, Number(BigInt(at) - began) / 1e6);
    if (notifier !== 'healthy') this.#unheard++;
  }

  latencies(): Latencies {
    const sorted = [...this.#took.values()].sort((a, b) => a - b);
    // By the nearest rank: a time that was measured, none in between.
    const percentile = (part: number): number => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
    return { count: sorted.length, p50: percentile(0.5), p99: percentile(0.99), unheard: this.#unheard };
  }
}
