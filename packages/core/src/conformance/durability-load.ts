// Many instances at work at once, and what can be asked about them.
import type { DurabilityBench } from './durability-bench.js';
import type { Drive } from './durability-plan.js';
import type { DurabilityProcess } from './durability-process.js';
import type { LoadInput } from './durability-workflows.js';

export interface Load {
  readonly instanceIds: readonly string[];
  /** How many activities each instance runs. */
  readonly activitiesEach: number;
  /** Resolves when a good part of the work is done, and most of it is not. */
  isUnderWay(): Promise<void>;
  /** Resolves when all instances have ended. */
  isDone(): Promise<void>;
  /** Those that this worker owns. */
  ownedBy(workerId: string): Promise<readonly string[]>;
}

export interface LoadOptions extends LoadInput {
  readonly instances: number;
}

const defaultLoad: LoadOptions = { instances: 60, steps: 10, stepMs: 40 };

/** Has the workers start that many instances, in turn. */
export async function giveLoad(
  bench: DurabilityBench,
  workers: readonly DurabilityProcess[],
  options: Partial<LoadOptions> = {},
): Promise<Load> {
  const { instances, steps, stepMs } = { ...defaultLoad, ...options };
  const drives = Array.from({ length: instances }, (_, index): Drive => ({
    instanceId: `load-${index}`,
    workflow: 'load',
    input: { steps, stepMs },
  }));
  await Promise.all(
    workers.map((worker, offset) => worker.start(drives.filter((_, index) => index % workers.length === offset))),
  );
  const instanceIds = drives.map(({ instanceId }) => instanceId);
  return {
    instanceIds,
    activitiesEach: steps + 1,
    async isUnderWay() {
      const few = (instances * steps) / 10;
      await bench.until('the load is under way', async () => (await bench.notes()).length >= few);
    },
    isDone: () => bench.untilFinished(instanceIds, 90_000),
    ownedBy: async (workerId) =>
      (await bench.instances()).filter(({ owner }) => owner === workerId).map(({ instanceId }) => instanceId),
  };
}
