// Several workers on the same random programs, one after the other killed and replaced while the others go on.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DurabilitySuite } from './durability-bench.js';
import { expectSound } from './durability-checks.js';
import type { Note } from './durability-plan.js';
import { randomProgram } from './durability-program-arbitrary.js';
import { expectProgramEffects } from './durability-program-effects.js';
import { resultOf } from './durability-program.js';

const workerCount = 3;
const workflow = 'program';

export function crowdCases({ bench: newBench, options }: DurabilitySuite): void {
  const { crowdKills, seed } = options;
  // Each kill may take its worker's runs along before they get far: the more kills, the more there must be left to do.
  const programCount = 10 + crowdKills;

  it(`ends the same with ${workerCount} workers, ${crowdKills} of which are killed and replaced (seed ${seed})`, async () => {
    const bench = await newBench();
    const programs = fc.sample(randomProgram, { numRuns: programCount, seed });
    const delays = fc.sample(fc.integer({ min: 20, max: 600 }), { numRuns: crowdKills, seed });
    const drives = programs.map((input, index) => ({ instanceId: `crowd-${index}`, workflow, input }));
    const plan = { workflows: [workflow], leaseMs: options.crowdLeaseMs };
    const workers = await Promise.all(Array.from({ length: workerCount }, () => bench.worker(plan)));

    const killed = new Set<number>();
    for (const [index, delay] of delays.entries()) {
      // A few of the programs at a time, so that something is going on at every kill.
      await workers[index % workerCount]!.start(drives.filter((_, at) => at % crowdKills === index));
      await new Promise((resolve) => setTimeout(resolve, delay));
      const victim = (index * 7 + delay) % workerCount;
      killed.add(workers[victim]!.pid);
      await workers[victim]!.kill();
      workers[victim] = await bench.worker(plan);
    }

    // Who asked for an event may have died before it was sent.
    const outcomes = await Promise.all(drives.map((drive) => workers[0]!.drive({ ...drive, resend: true })));
    expect(outcomes).toEqual(programs.map((program) => ({ result: resultOf(program) })));
    const histories = await bench.histories(drives.map(({ instanceId }) => instanceId));
    expectSound(histories);
    await expectProgramEffects(bench, { done: histories, programs });
    expect(repeatedWithoutDeath(await bench.notes(), killed)).toEqual([]);
    for (const worker of workers) expect(worker.logs({ levels: ['error'] })).toEqual([]);
  });
}

/** Attempts that were made again although the process that had made them was not killed. */
function repeatedWithoutDeath(notes: readonly Note[], killed: ReadonlySet<number>): Note[] {
  const last = new Map<string, Note>();
  const repeated: Note[] = [];
  for (const note of notes) {
    const key = `${note.instanceId} ${note.activityId} ${note.attempt}`;
    const before = last.get(key);
    if (before !== undefined && (before.pid === note.pid || !killed.has(before.pid))) repeated.push(before, note);
    last.set(key, note);
  }
  return repeated;
}
