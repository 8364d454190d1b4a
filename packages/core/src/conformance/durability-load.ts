// Many instances at work at once, and what can be asked about them.
import { expect } from 'vitest';
import type { DurabilityBench } from './durability-bench.js';
import { expectedRows, expectOneAttemptEach, expectSound, type Histories } from './durability-checks.js';
import type { Drive, Note } from './durability-plan.js';
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
  isDoneNow(): Promise<boolean>;
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
    isDoneNow: async () => (await (await bench.storage()).instances.finished(instanceIds)).length === instances,
    ownedBy: async (workerId) =>
      (await bench.instances()).filter(({ owner }) => owner === workerId).map(({ instanceId }) => instanceId),
  };
}

/** Every instance is completed, by sound histories, with each of its steps and rows once. */
export async function expectWhole(
  bench: DurabilityBench,
  load: Load,
  options: {
    /** A process may make an attempt again: its outcome was not known, since the database failed. */
    readonly mayRepeat?: boolean;
  } = {},
): Promise<{ readonly histories: Histories; readonly notes: readonly Note[] }> {
  const histories = await bench.histories(load.instanceIds);
  expectSound(histories);
  for (const instanceId of load.instanceIds) {
    expect(await bench.get(instanceId), instanceId).toMatchObject({ status: 'completed', owner: null });
    const completed = histories.get(instanceId)!.filter(({ kind }) => kind === 'activity_completed');
    expect(completed, instanceId).toHaveLength(load.activitiesEach);
  }
  expect(await bench.fixture.rows()).toEqual(expectedRows(histories, (callId) => callId === 'row:1'));
  const notes = await bench.notes();
  if (options.mayRepeat !== true) expectOneAttemptEach(notes);
  return { histories, notes };
}
