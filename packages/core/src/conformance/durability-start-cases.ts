// Ten processes at once: on an empty database, and for the same instances.
import { expect, it } from 'vitest';
import { expectOneAttemptEach } from './durability-checks.js';
import type { DurabilitySuite } from './durability-bench.js';

const processCount = 10;
const instanceCount = 30;

export function startCases({ bench: newBench }: DurabilitySuite): void {
  it('is opened by ten processes at once while it is empty: none works before it is ready', async () => {
    const bench = await newBench();
    const place = bench.fixture.elsewhere;
    const workflows = ['three'];
    const input = { stuckAt: 0 };
    const names = Array.from({ length: processCount }, (_, index) => `own-${index}`);
    const workers = names.map((name) =>
      bench.launch({
        place,
        workflows,
        drives: [name, 'shared'].map((instanceId) => ({ instanceId, workflow: 'three', input })),
      }),
    );
    for (const [index, worker] of workers.entries()) {
      for (const name of [names[index]!, 'shared']) expect(await worker.driven(name), name).toEqual({ result: [1, 2, 3] });
    }
    for (const worker of workers) expect(worker.logs({ levels: ['warn', 'error'] })).toEqual([]);
    const notes = await bench.notes();
    expectOneAttemptEach(notes);
    expect(notes).toHaveLength(3 * (names.length + 1));
    const { instances } = await bench.storage(place);
    expect(await instances.finished([...names, 'shared'])).toHaveLength(names.length + 1);
  });

  it('is opened by those that live when processes are killed while they make the schema', async () => {
    const bench = await newBench();
    const place = bench.fixture.elsewhere;
    const plan = { place, workflows: ['three'] };
    const doomed = Array.from({ length: processCount }, () => bench.launch(plan));
    const drives = [{ instanceId: 'survives', workflow: 'three', input: { stuckAt: 0 } }];
    const survivor = bench.launch({ ...plan, drives });
    // Each a little later in its start than the one before: from before its first statement to after its last.
    const kills = doomed.map(async (worker, index) => {
      await worker.starting();
      await new Promise((resolve) => setTimeout(resolve, index * 12));
      await worker.kill();
    });
    await Promise.all(kills);
    expect(await survivor.driven('survives')).toEqual({ result: [1, 2, 3] });
    expect(survivor.logs({ levels: ['error'] })).toEqual([]);
  });

  it('has whole commits of many starts, or nothing of them, when it is killed in between', async () => {
    const bench = await newBench();
    const { instances } = await bench.storage();
    const count = 2500;
    // Of workflows that nobody serves: so the starts are all that these processes do.
    const cases = (['before', 'after'] as const).map((moment) => ({
      moment,
      prefix: `${moment}-`,
      workflow: `unserved/${moment}`,
    }));
    await Promise.all(
      cases.map(async ({ moment, prefix, workflow }) => {
        const startMany = { workflow, prefix, count };
        const doomed = bench.launch({ workflows: [], startMany, kill: { moment, count: 2 } });
        expect((await doomed.exited).signal).toBe('SIGKILL');
        const ids = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
        const started = moment === 'before' ? 1000 : 2000;
        const there = (await instances.workflowsOf(ids)).map(({ instanceId }) => instanceId);
        expect(new Set(there)).toEqual(new Set(ids.slice(0, started)));
        const heir = bench.launch({ workflows: [], startMany });
        expect(await heir.startedMany()).toEqual({ existing: started, started: count - started });
        expect(await instances.workflowsOf(ids)).toHaveLength(count);
      }),
    );
  });

  it('runs each body once when ten processes start and claim the same instances at once', async () => {
    const bench = await newBench();
    const workers = Array.from({ length: processCount }, () => bench.launch({ workflows: ['once'] }));
    await Promise.all(workers.map((worker) => worker.ready()));
    const ids = Array.from({ length: instanceCount }, (_, index) => `once-${index}`);
    const outcomes = await Promise.all(
      workers.map((worker) => Promise.all(ids.map((instanceId) => worker.drive({ instanceId, workflow: 'once' })))),
    );
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    const notes = await bench.notes();
    const bodies = notes.filter(({ activityId }) => activityId === 'body').map(({ instanceId }) => instanceId);
    expect(bodies.sort()).toEqual([...ids].sort());
    expect(notes).toHaveLength(2 * ids.length);
    expectOneAttemptEach(notes);
  });
}
