// The runs of one worker that are in memory, each with the lane by which it commits.
import type { Run } from '../engine/run.js';
import type { LanePlace } from './commit-lanes.js';

/** Both are null once the run has left. */
interface Held {
  run: Run | null;
  place: LanePlace | null;
}

/**
 * What leaves is let go of by its record too, and not by the map alone. A map that many come into and leave gets a new table now and then; the
 * old one leads to the new one and keeps what it held, and where it has grown old, that holds until the next full collection of garbage: a
 * hundred runs, their code and all that they have read, for each hundred and fifty that end.
 */
export class RunsInMemory {
  readonly #held = new Map<string, Held>();

  get size(): number {
    return this.#held.size;
  }

  has(instanceId: string): boolean {
    return this.#held.has(instanceId);
  }

  get(instanceId: string): Run | undefined {
    return this.#held.get(instanceId)?.run ?? undefined;
  }

  ids(): IterableIterator<string> {
    return this.#held.keys();
  }

  /** At most one of an instance. */
  add(run: Run, place: LanePlace): void {
    this.#held.set(run.instanceId, { run, place });
  }

  /** @returns the place that it had. It must be there. */
  remove(instanceId: string): LanePlace {
    const held = this.#held.get(instanceId)!;
    const place = held.place!;
    this.#held.delete(instanceId);
    held.run = held.place = null;
    return place;
  }

  /** Those that are in memory now, whatever becomes of them meanwhile. */
  *[Symbol.iterator](): Iterator<Run> {
    for (const { run } of [...this.#held.values()]) if (run !== null) yield run;
  }
}
