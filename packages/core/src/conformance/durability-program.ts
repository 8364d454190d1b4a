// Random workflows as plain data: what they are made of, what they come to, and how they are run.
import { defineWorkflow, type ActivityContext, type AnyWorkflow, type RetryOptions, type WorkflowContext } from '../index.js';
import type { Effects } from './durability-effects.js';

/** One statement of a program. What it comes to depends on nothing but itself. */
export type Op =
  | { readonly op: 'step'; readonly value: number }
  | { readonly op: 'flaky'; readonly failures: number }
  | { readonly op: 'failing'; readonly attempts: number }
  | { readonly op: 'row' }
  | { readonly op: 'sleep'; readonly ms: number }
  | { readonly op: 'until'; readonly ms: number }
  | { readonly op: 'event'; readonly name: string }
  | { readonly op: 'timeout'; readonly ms: number }
  | { readonly op: 'recorded'; readonly what: 'now' | 'random' | 'uuid' }
  | { readonly op: 'race'; readonly value: number }
  | { readonly op: 'all'; readonly branches: readonly Program[] };

/** Statements one after the other. */
export type Program = readonly Op[];

const retry: RetryOptions = { maxAttempts: 3, firstDelay: 3, factor: 1, jitter: false };

/** What an instance of it must return. */
export function resultOf(program: Program): unknown[] {
  return program.map((op) => {
    switch (op.op) {
      case 'step':
      case 'race':
        return op.value;
      case 'flaky':
        return op.failures + 1;
      case 'failing':
        return `failed after ${op.attempts}`;
      case 'row':
        return 'written';
      case 'sleep':
      case 'until':
        return 'slept';
      case 'event':
        return op.name;
      case 'timeout':
        return 'WAIT_TIMEOUT';
      case 'recorded':
        return 'the same';
      case 'all':
        return op.branches.map(resultOf);
    }
  });
}

/** The names of the events that an instance of it asks for. */
export function eventsOf(program: Program): string[] {
  return program.flatMap((op) => (op.op === 'event' ? [op.name] : op.op === 'all' ? op.branches.flatMap(eventsOf) : []));
}

/** How many rows an instance of it writes. */
export function rowCountOf(program: Program): number {
  return program.reduce(
    (sum, op) =>
      sum + (op.op === 'row' ? 1 : op.op === 'all' ? op.branches.reduce((all, branch) => all + rowCountOf(branch), 0) : 0),
    0,
  );
}

/** Runs the program that is its input. */
export function programWorkflow(name: string, effects: Effects): AnyWorkflow {
  return defineWorkflow(name, (ctx, program: Program) => runProgram(ctx, program, effects));
}

async function runProgram(ctx: WorkflowContext, program: Program, effects: Effects): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const op of program) results.push(await runOp(ctx, op, effects));
  return results;
}

async function runOp(ctx: WorkflowContext, op: Op, effects: Effects): Promise<unknown> {
  const noted =
    <T>(execute: (activity: ActivityContext) => T) =>
    (activity: ActivityContext): T => {
      effects.note(activity);
      return execute(activity);
    };
  switch (op.op) {
    case 'step':
      return await ctx.run(
        'step',
        noted(() => op.value),
      );
    case 'flaky':
      return await ctx.run(
        'flaky',
        noted(({ attempt }) => {
          if (attempt <= op.failures) throw new Error(`attempt ${attempt} fails`);
          return attempt;
        }),
        { retry },
      );
    case 'failing':
      return await ctx
        .run(
          'failing',
          noted(() => Promise.reject<string>(new Error('no'))),
          { retry: { ...retry, maxAttempts: op.attempts } },
        )
        .catch((error: Error & { readonly attempts?: number }) => `failed after ${error.attempts ?? 1}`);
    case 'row':
      return await ctx.run(
        'row',
        noted(async (activity) => {
          await effects.writeRow(activity, `${activity.instanceId}/${activity.activityId}`);
          return 'written';
        }),
      );
    case 'sleep':
      await ctx.sleep(op.ms);
      return 'slept';
    case 'until':
      await ctx.sleepUntil(ctx.now() + op.ms);
      return 'slept';
    case 'event':
      await ctx.run(
        'ask',
        noted(() => effects.ask(ctx.instanceId, op.name)),
      );
      return (await ctx.waitEvent(op.name)).type;
    case 'timeout':
      return await ctx.waitEvent('silence', { timeout: op.ms }).then(
        () => 'an event',
        (error: { readonly code?: string }) => error.code,
      );
    case 'recorded': {
      const value = ctx[op.what]();
      const echoed = await ctx.run(
        'echo',
        noted(() => value),
      );
      return echoed === value ? 'the same' : `${value}, but it was ${echoed}`;
    }
    case 'race':
      return await Promise.race([
        ctx.run(
          'racer',
          noted(() => op.value),
        ),
        ctx.sleep('1h').then(() => 'slept'),
        ctx.waitEvent('never').then(() => 'an event'),
      ]);
    case 'all':
      return await Promise.all(op.branches.map((branch) => runProgram(ctx, branch, effects)));
  }
}
