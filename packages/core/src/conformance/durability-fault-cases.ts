// The database fails while workers are busy: they wait, say so once, and no step is lost or done twice.
import { expect, it } from 'vitest';
import type { DurabilitySuite } from './durability-bench.js';
import { expectWhole, giveLoad } from './durability-load.js';
import type { DurabilityProcess } from './durability-process.js';

/** Longer than any fault lasts: nobody is to be declared dead. */
const leaseMs = 60_000;

const expectedLines = /^(storage unavailable|storage available again|a run was broken off)/;

export function faultCases({ bench: newBench, options }: DurabilitySuite): void {
  for (const fault of options.faults) {
    const name = `goes on after ${fault.name}, with nothing lost or doubled`;
    if (fault.skip !== undefined) {
      it.skip(`${name} (skipped: ${fault.skip})`, () => undefined);
      continue;
    }
    it(name, async () => {
      const bench = await newBench(fault.factory);
      await bench.storage();
      const workers = await Promise.all([1, 2].map(() => bench.worker({ workflows: ['load'], leaseMs })));
      const load = await giveLoad(bench, workers, { instances: 80, steps: fault.steps ?? 10, stepMs: 40 });
      await load.isUnderWay();
      await fault.happen({
        place: bench.fixture.place,
        pids: workers.map(({ pid }) => pid),
        isDone: () => load.isDoneNow().catch(() => false),
      });
      await load.isDone();
      const { notes } = await expectWhole(bench, load, { mayRepeat: true });
      // Steps without a transaction of their own are made once: their outcomes wait for the database, however long it takes.
      const brokenOff = workers.some((worker) => worker.logs({ message: /^a run was broken off/ }).length > 0);
      const work = notes.filter(({ activityId }) => activityId.startsWith('work:'));
      if (!brokenOff) expect(work).toHaveLength(load.instanceIds.length * (load.activitiesEach - 1));
      for (const worker of workers) expectOneLinePerChange(worker);
      const outages = workers.flatMap((worker) => worker.logs({ message: /^storage unavailable/ }));
      if (fault.goesUnnoticed !== true) expect(outages.length).toBeGreaterThan(0);
      for (const worker of workers) await worker.stop();
    });
  }
}

/** Unavailable, available, unavailable, available: never the same twice, and nothing else. */
function expectOneLinePerChange(worker: DurabilityProcess): void {
  const lines = worker.logs({ levels: ['info', 'warn', 'error'] }).map(({ message }) => message);
  expect(lines.filter((line) => !expectedLines.test(line))).toEqual([]);
  const changes = lines.filter((line) => line.startsWith('storage '));
  const alternating = changes.map((_, index) => (index % 2 === 0 ? 'storage unavailable' : 'storage available again'));
  expect(changes.map((line) => line.replace(/,.*/, ''))).toEqual(alternating);
  expect(changes.length % 2, 'in the end it is available').toBe(0);
}
