// A process is killed; another one goes on where the committed history ends.
import { expect, it } from 'vitest';
import {
  expectedRows,
  expectGrown,
  expectNothingCommittedRunsAgain,
  expectOneAttemptEach,
  expectSound,
  gist,
} from './durability-checks.js';
import type { DurabilityBench, DurabilitySuite } from './durability-bench.js';
import { everythingResult, everythingRows } from './durability-everything.js';
import type { KillPlan } from './durability-plan.js';

/** An undisturbed run of it takes fewer transitions. */
const manyTransitions = 120;

export function killCases({ bench: newBench }: DurabilitySuite): void {
  it('goes on elsewhere after a kill in step 3 of 3, and runs neither 1 nor 2 again', async () => {
    const bench = await newBench();
    const drive = { instanceId: 'a', workflow: 'three', input: { stuckAt: 3 } };
    const first = await bench.worker({ workflows: ['three'], drives: [drive] });
    await bench.until('step 3 begins', async () => (await bench.notes()).some(({ activityId }) => activityId === 'step-3:1'));
    await first.kill();
    const second = await bench.worker({ workflows: ['three'], isHeir: true });
    expect(await second.drive(drive)).toEqual({ result: [1, 2, 3] });
    const notes = await bench.notes();
    expect(notes.filter(({ pid }) => pid === second.pid).map(({ activityId }) => activityId)).toEqual(['step-3:1']);
    expect(notes.map(({ activityId }) => activityId)).toEqual(['step-1:1', 'step-2:1', 'step-3:1', 'step-3:1']);
  });

  it('comes to the same end after a kill before or after each single transition of every durable call', async () => {
    const bench = await newBench();
    await bench.storage();
    const [before, after] = await Promise.all([sweep(bench, 'before'), sweep(bench, 'after')]);
    const killed = [...before.killed, ...after.killed];
    // Each has a workflow name of its own, so that nobody goes on with it before all are dead.
    const isRow = (callId: string): boolean => everythingRows.includes(callId);
    const left = await bench.histories(killed);
    const undisturbed = await bench.histories([before.survivor, after.survivor]);
    expect(await bench.fixture.rows()).toEqual(expectedRows(new Map([...left, ...undisturbed]), isRow));
    const lives = await bench.notes();
    expectOneAttemptEach(lives);

    const heir = await bench.worker({
      workflows: killed,
      isHeir: true,
      drives: killed.map((name) => ({ instanceId: name, workflow: name, resend: true })),
    });
    for (const name of killed) expect(await heir.driven(name), name).toEqual({ result: everythingResult });
    const notes = (await bench.notes()).slice(lives.length);
    expect(new Set(notes.map(({ pid }) => pid))).toEqual(new Set([heir.pid]));
    expectNothingCommittedRunsAgain(left, notes);
    expectOneAttemptEach(notes);
    const finished = await bench.histories(killed);
    expectGrown(left, finished);
    expectSound(finished);
    const calm = gist(undisturbed.get(after.survivor)!);
    for (const [name, history] of new Map([...finished, ...undisturbed])) expect(gist(history), name).toEqual(calm);
    const all = new Map([...finished, ...undisturbed]);
    expect(await bench.fixture.rows()).toEqual(expectedRows(all, isRow));
    expect(await bench.fixture.rows()).toHaveLength(everythingRows.length * all.size);
    for (const name of killed) expect(await bench.get(name)).toMatchObject({ status: 'completed', owner: null, wakeAt: null });
    expect(heir.logs({ levels: ['error'] })).toEqual([]);
  });
}

/** Kills one process after the other, each at the next transition, until one comes through. */
async function sweep(
  bench: DurabilityBench,
  moment: KillPlan['moment'],
): Promise<{ readonly killed: readonly string[]; readonly survivor: string }> {
  const killed: string[] = [];
  for (let count = 1; count <= manyTransitions; count++) {
    const name = `everything/${moment}-${count}`;
    const drives = [{ instanceId: name, workflow: name }];
    const worker = bench.launch({ workflows: [name], drives, kill: { moment, count } });
    const outcome = await worker.driven(name);
    if (outcome !== undefined) {
      expect(outcome, `undisturbed, killed ${moment} transition ${count} at the earliest`).toEqual({ result: everythingResult });
      await worker.stop();
      return { killed, survivor: name };
    }
    killed.push(name);
  }
  throw new Error(`there are more than ${manyTransitions} transitions`);
}
