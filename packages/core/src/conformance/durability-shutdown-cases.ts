// Stopping: in time, under load, twice, and at the wrong moment; the process then ends by itself.
import { expect, it } from 'vitest';
import type { DurabilitySuite } from './durability-bench.js';
import { expectOneAttemptEach, expectSound } from './durability-checks.js';
import { expectWhole, giveLoad } from './durability-load.js';

/** How much longer than it was told a stop may take: to try to remove the lease, and on a busy machine. */
const graceMs = 8000;

export function shutdownCases({ bench: newBench, options }: DurabilitySuite): void {
  it('stops under load, called three times at once, with nothing left owned, and the process ends by itself', async () => {
    const bench = await newBench();
    const first = await bench.worker({ workflows: ['load'] });
    const load = await giveLoad(bench, [first]);
    await load.isUnderWay();
    await first.stop({ times: 3 });
    for (const instance of await bench.instances()) expect(instance).toMatchObject({ owner: null });
    expect(first.logs({ levels: ['warn', 'error'] })).toEqual([]);

    await bench.worker({ workflows: ['load'] });
    await load.isDone();
    const notes = await bench.notes();
    expectOneAttemptEach(notes);
    expectSound(await bench.histories(load.instanceIds));
    // What was under way when the stop came was let end, and recorded.
    expect(notes).toHaveLength(load.instanceIds.length * load.activitiesEach);
  });

  it('stops in time when an activity never returns, and others go on with its run', async () => {
    const bench = await newBench();
    const first = await bench.worker({ workflows: ['deaf'], drives: [{ instanceId: 'a', workflow: 'deaf' }] });
    await bench.until('it runs', async () => (await bench.notes()).length === 1);
    const took = await first.stop({ timeoutMs: 500 });
    expect(took).toBeGreaterThan(400);
    expect(took).toBeLessThan(5000);
    expect(await bench.get('a')).toMatchObject({ status: 'pending', owner: null });
    const second = await bench.worker({ workflows: ['deaf'], isHeir: true });
    expect(await second.drive({ instanceId: 'a', workflow: 'deaf' })).toEqual({ result: 'heard' });
  });

  const { outage } = options;
  const inOutage = 'stops in time while the database is down, the process ends by itself, and others go on when it is up again';
  it.skipIf(outage.skip !== undefined)(
    outage.skip === undefined ? inOutage : `${inOutage} (skipped: ${outage.skip})`,
    async () => {
      const bench = await newBench(outage.factory);
      await bench.storage();
      const first = await bench.worker({ workflows: ['load'] });
      const load = await giveLoad(bench, [first]);
      await load.isUnderWay();
      const endOutage = await outage.begin(bench.fixture.place);
      const began = performance.now();
      expect(await first.stop({ timeoutMs: 1000 })).toBeLessThan(1000 + graceMs);
      expect(performance.now() - began).toBeLessThan(1000 + 2 * graceMs);
      expect(first.logs({ message: /^storage unavailable/ })).toHaveLength(1);
      await endOutage();
      await bench.worker({ workflows: ['load'] });
      await load.isDone();
      await expectWhole(bench, load);
    },
  );

  it.each(['stop-during-start', 'stop-before-start'] as const)('%s: the process ends by itself', async (mode) => {
    const bench = await newBench();
    const worker = bench.launch({ workflows: ['three'], mode });
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.logs({ levels: ['error'] })).toEqual([]);
  });
}
