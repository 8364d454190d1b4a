// What the runs of a worker are given, with the lane by which they commit in it: the same object for all runs of a lane.
import type { RunServices } from '../engine/run-services.js';
import type { Committer } from './committer.js';

export class LaneServices {
  readonly #common: Omit<RunServices, 'progress'>;
  readonly #byLane = new Map<Committer, RunServices>();

  constructor(common: Omit<RunServices, 'progress'>) {
    this.#common = common;
  }

  of(committer: Committer): RunServices {
    let services = this.#byLane.get(committer);
    if (services === undefined) {
      services = { ...this.#common, progress: committer };
      this.#byLane.set(committer, services);
    }
    return services;
  }
}
