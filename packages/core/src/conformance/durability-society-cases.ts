// Processes are killed in the middle of messages, children, recurrences and compensations: each of them took effect once.
import { expect, it } from 'vitest';
import {
  expectGrown,
  expectNothingCommittedRunsAgain,
  expectOneAttemptEach,
  expectSound,
  gist,
  type Histories,
} from './durability-checks.js';
import type { DurabilityBench, DurabilitySuite } from './durability-bench.js';
import type { KillPlan } from './durability-plan.js';
import { mouseName, societyFailure, societyOutbox, societyRows } from './durability-society.js';

const anyEvent = { status: undefined, eventIds: undefined, type: undefined, before: undefined };
/** An undisturbed run of it takes fewer transitions. */
const manyTransitions = 120;

export function societyCases({ bench: newBench, options }: DurabilitySuite): void {
  const { killStep, seed } = options;
  it(`sends, receives, has children, recurs and undoes once, after a kill before or after ${killStep === 1 ? 'each' : `one of ${killStep}`} of its transitions`, async () => {
    const bench = await newBench();
    await bench.storage();
    const [before, after] = await Promise.all([
      sweep(bench, { moment: 'before', killStep, first: 1 + (seed % killStep) }),
      sweep(bench, { moment: 'after', killStep, first: 1 + (seed % killStep) }),
    ]);
    const killed = [...before.killed, ...after.killed];
    expect(killed.length).toBeGreaterThan(30 / killStep);
    const left = await chains(bench, killed);
    const lives = await bench.notes();
    expectOneAttemptEach(lives);

    const heir = await bench.worker({
      workflows: killed.flatMap((name) => [name, mouseName(name)]),
      isHeir: true,
      drives: killed.map((name) => ({ instanceId: name, workflow: name, resend: true })),
    });
    for (const name of killed) expect(await heir.driven(name), name).toEqual({ error: societyFailure });
    const notes = (await bench.notes()).slice(lives.length);
    expectNothingCommittedRunsAgain(left, notes);
    expectOneAttemptEach(notes);
    const all = [...killed, before.survivor, after.survivor];
    const finished = await chains(bench, all);
    expectGrown(left, finished);
    expectSound(
      await partsOf(
        bench,
        all.flatMap((name) => [`${name}~1`, name]),
      ),
    );
    // Its child has its name from it.
    const gistOf = (name: string): string[] => gist(finished.get(name)!).map((line) => line.replace(mouseName(name), 'mouse'));
    for (const name of all) expect(gistOf(name), name).toEqual(gistOf(after.survivor));
    expect(await bench.fixture.rows()).toEqual(all.flatMap((name) => societyRows.map((row) => `${name}/${row}`)).sort());
    for (const name of all) await expectOnce(bench, name);
    expect(heir.logs({ levels: ['error'] })).toEqual([]);
  });
}

/** One successor each, one child, one event each; and nothing is left of its subscriptions. */
async function expectOnce(bench: DurabilityBench, name: string): Promise<void> {
  const storage = await bench.storage();
  const ids = (await bench.instances())
    .map(({ instanceId }) => instanceId)
    .filter((id) => id === name || id.startsWith(`${name}~`));
  expect([...ids].sort()).toEqual([name, `${name}~1`]);
  expect(await bench.get(name)).toMatchObject({ status: 'failed', owner: null, wakeAt: null, continuedFrom: `${name}~1` });
  expect(await bench.get(`${name}~1`)).toMatchObject({ status: 'recurred', owner: null, continuedAs: name });
  const child = `${name}/${mouseName(name)}:1`;
  const parts = (await bench.instances()).filter(({ instanceId }) => instanceId.startsWith(child));
  expect(parts.map(({ status }) => status).sort()).toEqual(['completed', 'recurred', 'recurred']);
  expect(await storage.messages.members(`us of ${name}`)).toEqual([]);
  const events = await storage.outbox.list({ ...anyEvent, limit: 1000, after: undefined });
  const own = events.filter(({ source }) => source === `/${name}`).map(({ type }) => type);
  expect([...own].sort(), `the outbox of ${name}`).toEqual([...societyOutbox].sort());
}

/** The histories of all parts of each, one after the other, as if they were one. */
async function chains(bench: DurabilityBench, names: readonly string[]): Promise<Histories> {
  const parts = await partsOf(
    bench,
    names.flatMap((name) => [`${name}~1`, name]),
  );
  return new Map(
    names.map((name) => {
      const history = [...parts.get(`${name}~1`)!, ...parts.get(name)!];
      return [name, history.map((entry) => ({ ...entry, instanceId: name }))];
    }),
  );
}

/** Each part's own. */
async function partsOf(bench: DurabilityBench, ids: readonly string[]): Promise<Histories> {
  const { instances } = await bench.storage();
  return new Map(
    await Promise.all(
      ids.map(async (instanceId) => [instanceId, await instances.history({ instanceId, afterSeq: 0, limit: 1000 })] as const),
    ),
  );
}

/** Kills one process after the other, each some transitions later, until one comes through. */
async function sweep(
  bench: DurabilityBench,
  { moment, killStep, first }: Pick<KillPlan, 'moment'> & { readonly killStep: number; readonly first: number },
): Promise<{ readonly killed: readonly string[]; readonly survivor: string }> {
  const killed: string[] = [];
  for (let count = first; count <= manyTransitions; count += killStep) {
    const name = `society/${moment}-${count}`;
    const drives = [{ instanceId: name, workflow: name }];
    const worker = bench.launch({ workflows: [name, mouseName(name)], drives, kill: { moment, count } });
    const outcome = await worker.driven(name);
    if (outcome !== undefined) {
      expect(outcome, `undisturbed, killed ${moment} transition ${count} at the earliest`).toEqual({ error: societyFailure });
      await worker.stop();
      return { killed, survivor: name };
    }
    killed.push(name);
  }
  throw new Error(`there are more than ${manyTransitions} transitions`);
}
