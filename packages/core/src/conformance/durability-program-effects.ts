// What random programs must have left in the world: rows, events, and what their children did undone.
import { expect } from 'vitest';
import type { DurabilityBench } from './durability-bench.js';
import { expectedRows, expectSound, type Histories } from './durability-checks.js';
import { postsOf, rowCountOf, undoneOf, type Program } from './durability-program.js';

const anyEvent = { status: undefined, eventIds: undefined, type: undefined, before: undefined };

/** @param done all instances of programs, their children aside; each of `programs` has ended once. */
export async function expectProgramEffects(
  bench: DurabilityBench,
  { done, programs }: { readonly done: Histories; readonly programs: readonly Program[] },
): Promise<void> {
  const isChild = ({ parentId, status }: { readonly parentId: string | null; readonly status: string }): boolean =>
    parentId !== null && status !== 'recurred';
  const children = (await bench.instances()).filter(isChild).map(({ instanceId }) => instanceId);
  const { instances } = await bench.storage();
  const lastPart = async (instanceId: string) =>
    [instanceId, await instances.history({ instanceId, afterSeq: 0, limit: 1000 })] as const;
  const histories: Histories = new Map(await Promise.all(children.map(lastPart)));
  expectSound(histories);
  expectUndone(histories);
  const rows = expectedRows(
    new Map([...done, ...histories]),
    (callId) => callId.startsWith('row:') || callId.endsWith('/compensate'),
  );
  expect(rows).toHaveLength(sumOf(programs, (program) => rowCountOf(program) + undoneOf(program)));
  expect(await bench.fixture.rows()).toEqual(rows);
  const events = await (await bench.storage()).outbox.list({ ...anyEvent, limit: 1000, after: undefined });
  expect(events).toHaveLength(sumOf(programs, postsOf));
}

/** What a child did and failed with is undone, the last first, once. */
function expectUndone(histories: Histories): void {
  for (const [instanceId, history] of histories) {
    const done = history.filter(({ kind }) => kind === 'activity_compensable').map(({ callId }) => `${callId}/compensate`);
    const undone = history.filter(({ kind }) => kind === 'compensation_completed').map(({ callId }) => callId);
    expect(undone, instanceId).toEqual(done.reverse());
  }
}

function sumOf(programs: readonly Program[], count: (program: Program) => number): number {
  return programs.reduce((sum, program) => sum + count(program), 0);
}
