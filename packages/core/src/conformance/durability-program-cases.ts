// Random programs: run in peace, and run by processes that are killed again and again, they end the same.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DurabilityBench, DurabilitySuite } from './durability-bench.js';
import {
  expectGrown,
  expectNothingCommittedRunsAgain,
  expectOneAttemptEach,
  expectSound,
  type Histories,
} from './durability-checks.js';
import { randomProgram } from './durability-program-arbitrary.js';
import { expectProgramEffects } from './durability-program-effects.js';
import { resultOf, type Program } from './durability-program.js';
import type { Drive, KillPlan } from './durability-plan.js';

/** A life ends at a random transition of so many. */
const longestLife = 40;

interface Life {
  /** At a transition, or after so many milliseconds: then anywhere, also in the middle of a commit. */
  readonly end: KillPlan | number;
}

export function programCases({ bench: newBench, options }: DurabilitySuite): void {
  const lives = fc.array(
    fc.oneof(
      fc.record({
        end: fc.record({
          moment: fc.constantFrom('before' as const, 'after' as const),
          count: fc.integer({ min: 1, max: longestLife }),
        }),
      }),
      fc.record({ end: fc.integer({ min: 1, max: 400 }) }),
    ),
    { minLength: 3, maxLength: 6 },
  );
  const programs = fc.array(randomProgram, { minLength: options.programsPerRun, maxLength: options.programsPerRun });

  it(`ends the same after any number of kills: ${options.programRuns} × ${options.programsPerRun} random programs (seed ${options.seed})`, async () => {
    // Run by run instead of by fc.assert: what fails here takes too long to be made smaller.
    const cases = fc.sample(fc.tuple(programs, lives), { numRuns: options.programRuns, seed: options.seed });
    for (const [batch, ends] of cases) await runBatch(await newBench(), batch, ends);
  });
}

async function runBatch(bench: DurabilityBench, programs: readonly Program[], lives: readonly Life[]): Promise<void> {
  const drivesOf = (name: string): Drive[] =>
    programs.map((input, index) => ({ instanceId: `${name}-${index}`, workflow: `program/${name}`, input, resend: true }));
  const [calm, stormy] = [drivesOf('calm'), drivesOf('stormy')];

  const undisturbed = await bench.worker({ workflows: ['program/calm'] });
  for (const [index, outcome] of (await Promise.all(calm.map((drive) => undisturbed.drive(drive)))).entries()) {
    expect(outcome, `program ${index}, undisturbed`).toEqual({ result: resultOf(programs[index]!) });
  }
  await undisturbed.stop();

  const ids = stormy.map(({ instanceId }) => instanceId);
  let known: Histories = await bench.histories(ids);
  for (const { end } of lives) {
    const seen = (await bench.notes()).length;
    const atTransition = typeof end === 'number' ? {} : { kill: end };
    const worker = bench.launch({ workflows: ['program/stormy'], drives: stormy, ...atTransition });
    if (typeof end === 'number') {
      await worker.ready();
      await new Promise((resolve) => setTimeout(resolve, end));
      await worker.kill();
    } else {
      // Either it is killed, or there was too little left to do for that.
      await Promise.all(ids.map((id) => worker.driven(id)));
      await worker.kill();
    }
    known = await expectLife(bench, { known, seen });
  }

  const seen = (await bench.notes()).length;
  const last = await bench.worker({ workflows: ['program/stormy'], drives: stormy });
  for (const [index, id] of ids.entries()) {
    expect(await last.driven(id), `program ${index}: ${JSON.stringify(programs[index])}`).toEqual({
      result: resultOf(programs[index]!),
    });
  }
  const finished = await expectLife(bench, { known, seen });
  expectSound(finished);
  const calmHistories = await bench.histories(calm.map(({ instanceId }) => instanceId));
  // Side by side, calls of one name may change places, and with them their numbers.
  for (const [index, id] of ids.entries()) {
    expect(kindsOf(finished, id), `${id}, with ${retriesOf(finished, id)}`).toEqual(kindsOf(calmHistories, `calm-${index}`));
  }
  await expectProgramEffects(bench, { done: new Map([...calmHistories, ...finished]), programs: [...programs, ...programs] });
  expect(last.logs({ levels: ['error'] })).toEqual([]);
  await last.stop();
}

/** What must hold of the life that is just over. @returns the histories as they are now */
async function expectLife(
  bench: DurabilityBench,
  { known, seen }: { readonly known: Histories; readonly seen: number },
): Promise<Histories> {
  const notes = (await bench.notes()).slice(seen);
  expectNothingCommittedRunsAgain(known, notes);
  expectOneAttemptEach(notes);
  const now = await bench.histories([...known.keys()]);
  expectGrown(known, now);
  return now;
}

function kindsOf(histories: Histories, instanceId: string): string[] {
  return (histories.get(instanceId) ?? []).map(({ callId, kind }) => `${callId.split(/[:/]/)[0]} ${kind}`).sort();
}

/** Why attempts failed, to be read where there was one too many. */
function retriesOf(histories: Histories, instanceId: string): string {
  const retries = (histories.get(instanceId) ?? []).filter(({ kind }) => kind === 'activity_retry');
  return retries.map(({ callId, data }) => `${callId}: ${data?.slice(0, 200)}`).join('; ');
}
