// Small random programs that do what can be undone, talk, fail, and recur; and what must be undone of them in the end.
import fc from 'fast-check';
import { expect } from 'vitest';
import { defineActivity, defineWorkflow, type ActivityContext, type Workflow, type WorkflowContext } from '../src/index.js';
import { memoryTransaction, type MemoryDatabase } from '../src/testing/index.js';
import { talk, talks, type Talk } from './random-talk.js';

export type SagaStep =
  /** Can be undone; with so many failures before it succeeds, and before it is undone (more than attempts: never). */
  | { readonly do: 'work' | 'row'; readonly turns: number; readonly failures: number; readonly undoFailures: number }
  | { readonly do: 'throw' }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'now' }
  | { readonly do: 'talk'; readonly talk: Talk }
  | { readonly do: 'sequence' | 'all' | 'race' | 'settled' | 'loose'; readonly steps: readonly SagaStep[] };

const leaf: fc.Arbitrary<SagaStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('work' as const, 'row' as const),
      turns: fc.nat(4),
      failures: fc.nat(1),
      undoFailures: fc.nat(3),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'throw' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'now' } as const) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('talk' as const), talk: talks }) },
);

/** Programs of some depth; each ends by itself, whatever happens. */
export const sagas: fc.Arbitrary<SagaStep> = fc.letrec<{ step: SagaStep }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({
      do: fc.constantFrom(
        'sequence' as const,
        'sequence' as const,
        'all' as const,
        'race' as const,
        'settled' as const,
        'loose' as const,
      ),
      steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }),
    }),
  ),
})).step;

/** What was undone, and what history said when it was. */
export interface Undoing {
  readonly activityId: string;
  readonly wasRecorded: boolean;
}

const attempts = 3;

/** The program as a workflow that recurs so many times before it returns. */
export function sagaOf(
  program: SagaStep,
  { recurs, database, undoings }: { readonly recurs: number; readonly database: MemoryDatabase; readonly undoings: Undoing[] },
): Workflow<void, unknown> {
  const retry = { maxAttempts: attempts, firstDelay: 3, factor: 1 };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const activityOf = (step: SagaStep & { readonly do: 'work' | 'row' }) =>
    defineActivity(
      step.do,
      async (ctx, path: string) => {
        if (step.do === 'row') (await memoryTransaction(ctx)).set(`${ctx.activityId} of ${path}`, 'done');
        for (let count = 0; count < step.turns; count++) await turn();
        await ctx.publish('done', ctx.activityId);
        if (ctx.attempt <= step.failures) throw new Error('not yet');
        return path;
      },
      {
        retry,
        compensate: async (ctx: ActivityContext, path: string, output: string) => {
          const wasRecorded = historyOf(database).some(
            ({ kind, callId }) =>
              callId === ctx.activityId && (kind === 'compensation_completed' || kind === 'compensation_failed'),
          );
          undoings.push({ activityId: ctx.activityId, wasRecorded });
          expect(output).toBe(path);
          if (step.do === 'row')
            (await memoryTransaction(ctx)).set(`${ctx.activityId.replace('/compensate', '')} of ${path}`, 'undone');
          await ctx.publish('undone', ctx.activityId);
          await turn();
          if (ctx.attempt <= step.undoFailures) throw new Error('not yet undone');
        },
      },
    );
  const execute = async (ctx: WorkflowContext, step: SagaStep, path: string): Promise<unknown> => {
    const parts = (): Promise<unknown>[] =>
      'steps' in step ? step.steps.map((part, index) => execute(ctx, part, `${path}.${index}`)) : [];
    switch (step.do) {
      case 'work':
      case 'row':
        return await ctx.run(activityOf(step), path);
      case 'throw':
        throw new Error(`thrown at ${path}`);
      case 'sleep':
        return await ctx.sleep(step.ms);
      case 'now':
        return ctx.now();
      case 'talk':
        return await talk(ctx, step.talk, path);
      case 'sequence':
        for (const [index, part] of step.steps.entries()) await execute(ctx, part, `${path}.${index}`);
        return;
      case 'all':
        return await Promise.all(parts());
      case 'race':
        return await Promise.race(parts());
      case 'settled':
        return await Promise.allSettled(parts());
      case 'loose':
        // Nobody waits for them: they go on beside what comes, also beside the end.
        for (const part of parts()) part.catch(() => undefined);
        return;
    }
  };
  return defineWorkflow<number | undefined, unknown>('saga', async (ctx, part = 0) => {
    await execute(ctx, program, `part ${part}`);
    return part < recurs ? await ctx.recur(part + 1) : 'done';
  }) as unknown as Workflow<void, unknown>;
}

/** The history of the last part. */
function historyOf(database: MemoryDatabase) {
  const { history, historyStart } = database.instances.get('i')!;
  return history.filter(({ seq }) => seq > historyStart);
}

/** The last part's history, what was undone, and what the instance tells of it fit together. */
export function expectUndone(database: MemoryDatabase, undoings: readonly Undoing[]): void {
  const { status, compensationFailures, historyStart, generation } = database.instances.get('i')!;
  const history = historyOf(database);
  const completed = history.filter(({ kind }) => kind === 'activity_compensable').map(({ callId }) => `${callId}/compensate`);
  const outcomes = history.filter(({ kind }) => kind === 'compensation_completed' || kind === 'compensation_failed');
  const begun = history.findIndex(({ kind }) => kind === 'compensation_begun');
  expect(
    undoings.filter(({ wasRecorded }) => wasRecorded),
    'undone again',
  ).toEqual([]);
  if (status === 'completed' || completed.length === 0) {
    expect([undoings, outcomes, begun], `${status}, began at ${historyStart}`).toEqual([[], [], -1]);
    return;
  }
  expect(outcomes.map(({ callId }) => callId)).toEqual(completed.reverse());
  expect(history.slice(begun + 1).filter(({ kind }) => !kind.startsWith('compensation_'))).toEqual([]);
  const failed = outcomes.filter(({ kind }) => kind === 'compensation_failed').map(({ callId }) => callId);
  const told = compensationFailures === null ? [] : (JSON.parse(compensationFailures) as { readonly activityId: string }[]);
  expect(told.map(({ activityId }) => `${activityId}/compensate`)).toEqual(failed);
  for (const callId of completed)
    expect(
      undoings.some(({ activityId }) => activityId === callId),
      callId,
    ).toBe(true);
  for (const [key, value] of database.values) {
    const [id, part] = key.split(' of part ');
    const outcome = outcomes.find(({ callId }) => callId === `${id}/compensate`);
    if (outcome === undefined || Number.parseInt(part!, 10) !== generation) continue;
    expect([key, value]).toEqual([key, outcome.kind === 'compensation_completed' ? 'undone' : 'done']);
  }
}
