// The lanes by which a worker commits: one, and for a crowd of runs two, so that its code goes on in one half while the other is committed.
import { Committer, type CommitterParts } from './committer.js';
import { Floor } from './floor.js';

/** From so many runs on a second lane pays. With fewer, what every commit costs, however much is in it, outweighs what it could gain. */
const crowd = 32;

interface Lane {
  readonly committer: Committer;
  runs: number;
}

/** A run's place in a lane; all that is recorded of it goes by this one, so that it takes effect in its order. */
export class LanePlace {
  readonly #lane: Lane;

  constructor(lane: Lane) {
    this.#lane = lane;
    lane.runs++;
  }

  get committer(): Committer {
    return this.#lane.committer;
  }

  /** The run has left memory. Once. */
  leave(): void {
    this.#lane.runs--;
  }
}

/**
 * A crowd that moves in step in one lane leaves the database idle while its code goes on, and the code idle while it is committed. Runs
 * share nothing that would have an order among them, so two lanes can be under way at once: each with half of the runs, and the delay of
 * the disk and the network shared as well. A database inside this thread has no delay that could be used, and is given one lane.
 */
export class CommitLanes {
  readonly #lanes: readonly [Lane, Lane];

  constructor(parts: Omit<CommitterParts, 'floor'>) {
    const floor = new Floor();
    this.#lanes = [
      { committer: new Committer({ ...parts, floor }), runs: 0 },
      { committer: new Committer({ ...parts, floor }), runs: 0 },
    ];
  }

  /** For what belongs to no run in memory. */
  get first(): Committer {
    return this.#lanes[0].committer;
  }

  get commits(): number {
    return this.#lanes[0].committer.commits + this.#lanes[1].committer.commits;
  }

  enter(): LanePlace {
    const [first, second] = this.#lanes;
    const isCrowded = first.runs + second.runs >= crowd && first.committer.leavesTurns;
    const lane = isCrowded && second.runs < first.runs ? second : first;
    return new LanePlace(lane);
  }

  /** See {@link Committer.alone}. The lanes are taken one after the other, always in this order, so that two callers take turns. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const [first, second] = this.#lanes;
    return first.committer.alone(() => second.committer.alone(work));
  }

  /** Resolves when nothing is left to commit, or everything was rejected. */
  async idle(): Promise<void> {
    await Promise.all(this.#lanes.map(({ committer }) => committer.idle()));
  }

  abandon(error: Error): void {
    for (const { committer } of this.#lanes) committer.abandon(error);
  }
}
