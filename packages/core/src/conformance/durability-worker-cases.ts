// Workers that die, freeze or leave while others work: their runs go on elsewhere, and nothing of them is done twice.
import { expect, it } from 'vitest';
import type { DurabilityBench, DurabilitySuite } from './durability-bench.js';
import { expectGrown, expectNothingCommittedRunsAgain } from './durability-checks.js';
import { expectWhole, giveLoad } from './durability-load.js';
import type { DurabilityProcess } from './durability-process.js';

/** A process that is held still is not dead: only its lease tells, wherever it is. */
const frozenLeaseMs = 1500;

export function workerCases({ bench: newBench, options }: DurabilitySuite): void {
  it('wakes a sleeper at its original time after the worker died that put it to sleep', async () => {
    const bench = await newBench();
    const sleepMs = 3000;
    const drive = { instanceId: 'dreamer', workflow: 'sleeper', input: sleepMs };
    const first = await bench.worker({ workflows: ['sleeper'], drives: [drive] });
    const asleep = await bench.until('it sleeps', async () => {
      const instance = await bench.get('dreamer');
      return instance?.status === 'waiting_for_timer' && instance;
    });
    const history = await bench.history('dreamer');
    const { dueAt, recordedAt } = history.find(({ kind }) => kind === 'timer_set')!;
    expect(dueAt! - recordedAt).toBeGreaterThan(sleepMs - 1000);
    await first.kill();
    expect(await bench.get('dreamer')).toEqual(asleep);

    const second = await bench.worker({ workflows: ['sleeper'] });
    expect(await second.drive(drive)).toEqual({ result: 'awake' });
    const woken = await bench.history('dreamer');
    expectGrown(new Map([['dreamer', history]]), new Map([['dreamer', woken]]));
    expect(woken.filter(({ kind }) => kind === 'timer_set')).toHaveLength(1);
    const fired = woken.find(({ kind }) => kind === 'timer_fired')!;
    expect(fired.recordedAt).toBeGreaterThanOrEqual(dueAt!);
    // Had it begun to sleep anew, it would still sleep.
    expect(fired.recordedAt - dueAt!).toBeLessThan(sleepMs / 2);
    const notes = await bench.notes();
    expect(notes.map(({ pid, activityId }) => [pid, activityId])).toEqual([
      [first.pid, 'before:1'],
      [second.pid, 'after:1'],
    ]);
  });

  it('lets the runs of one of three workers go on elsewhere when it is killed under load', async () => {
    const bench = await newBench();
    const [victim, ...others] = await threeWorkers(bench);
    const load = await giveLoad(bench, [victim!, ...others]);
    await load.isUnderWay();
    await victim!.kill();
    const killedAt = performance.now();
    const owned = await load.ownedBy(victim!.workerId);
    expect(owned.length).toBeGreaterThan(0);
    const before = await bench.histories(owned);
    const noted = (await bench.notes()).length;
    await bench.until('nobody is owned by the dead', async () => (await load.ownedBy(victim!.workerId)).length === 0);
    expect(performance.now() - killedAt).toBeLessThan(options.takeoverMs);
    await load.isDone();
    expectGrown(before, await bench.histories(owned));
    expectNothingCommittedRunsAgain(before, (await bench.notes()).slice(noted));
    await expectWhole(bench, load);
    // One of the two found it dead, and said so once.
    expect(others.flatMap((worker) => worker.logs({ message: /a worker is dead/ }))).toHaveLength(1);
  });

  it('hands the runs of a worker that is stopped under load to others at once, and does no step twice', async () => {
    const bench = await newBench();
    const [leaver, ...others] = await threeWorkers(bench);
    const load = await giveLoad(bench, [leaver!, ...others]);
    await load.isUnderWay();
    expect((await load.ownedBy(leaver!.workerId)).length).toBeGreaterThan(0);
    await leaver!.stop();
    expect(await load.ownedBy(leaver!.workerId)).toEqual([]);
    await load.isDone();
    const { notes } = await expectWhole(bench, load);
    // An activity under way may end before its process does: none is made again elsewhere.
    expect(notes).toHaveLength(load.instanceIds.length * load.activitiesEach);
    expect(others.flatMap((worker) => worker.logs({ levels: ['warn', 'error'] }))).toEqual([]);
  });

  it('lets a worker that was frozen for longer than its lease write nothing, say so, and join again as a new one', async () => {
    const bench = await newBench();
    const [frozen, ...others] = await threeWorkers(bench, frozenLeaseMs);
    const load = await giveLoad(bench, [frozen!, ...others]);
    await load.isUnderWay();
    await freezeBetweenWrites(bench, frozen!);
    const owned = await load.ownedBy(frozen!.workerId);
    expect(owned.length).toBeGreaterThan(0);
    await load.isDone();
    const { histories } = await expectWhole(bench, load);
    const rows = await bench.fixture.rows();

    frozen!.thaw();
    await frozen!.logged(/joined again/);
    expect(frozen!.logs({ message: /was declared dead/ })).toHaveLength(1);
    expect((await frozen!.status()).workerId).not.toBe(frozen!.workerId);
    for (const worker of others) await worker.stop();
    expect(await frozen!.drive({ instanceId: 'later', workflow: 'load', input: { steps: 1, stepMs: 1 } })).toEqual({
      result: [frozen!.pid],
    });
    // Whatever it had in memory when it froze has come to nothing: it may have gone on for a moment, but wrote nothing down.
    expect(await bench.histories(load.instanceIds)).toEqual(histories);
    expect((await bench.fixture.rows()).filter((key) => !key.startsWith('later/'))).toEqual(rows);
    expect(frozen!.logs({ levels: ['warn', 'error'] })).toHaveLength(1);
    await frozen!.stop();
  });
}

/** Where one alone can write, who is held still in the middle of that holds up everybody, as long as he is: nobody could take his work then. */
async function freezeBetweenWrites(bench: DurabilityBench, worker: DurabilityProcess): Promise<void> {
  const { messages } = await bench.storage();
  for (;;) {
    worker.freeze();
    const written = messages.fixMode({ topic: 'channel:probe', mode: 'broadcast' });
    // Shorter than its lease, or it would be declared dead more than once.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, frozenLeaseMs / 2, false)));
    const canWrite = await Promise.race([written.then(() => true), late]);
    clearTimeout(timer);
    if (canWrite) return;
    worker.thaw();
    await written;
  }
}

async function threeWorkers(bench: DurabilityBench, leaseMs?: number) {
  const plan = { workflows: ['load'], ...(leaseMs === undefined ? {} : { leaseMs }) };
  return await Promise.all([1, 2, 3].map(() => bench.worker(plan)));
}
