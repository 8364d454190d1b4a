// Random workflows as plain data: what they are made of, what they come to, and how they are run.
import {
  defineActivity,
  defineWorkflow,
  type ActivityContext,
  type AnyWorkflow,
  type ChannelMode,
  type RetryOptions,
  type Workflow,
  type WorkflowContext,
} from '../index.js';
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
  /** Tells itself something, by a channel that nobody else has, or as the only member of a group. */
  | { readonly op: 'tell'; readonly name: string; readonly mode: ChannelMode | 'group'; readonly value: number }
  /** Puts an event into the outbox. */
  | { readonly op: 'post' }
  /** Has a child that recurs so many times. */
  | { readonly op: 'recur'; readonly left: number }
  /** Has a child that does so many things, fails, and has them undone. */
  | { readonly op: 'saga'; readonly count: number }
  | { readonly op: 'undoable'; readonly undoFailures: number }
  | { readonly op: 'fail' }
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
      case 'tell':
        return op.value;
      case 'post':
        return 'posted';
      case 'recur':
        return 'the last part';
      case 'saga':
        return 'undone';
      case 'undoable':
      case 'fail':
        return op.op;
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
  const workflow: ProgramWorkflow = defineWorkflow(name, (ctx, program: Program) =>
    runProgram(ctx, program, { effects, workflow: () => workflow }),
  );
  return workflow;
}

type ProgramWorkflow = Workflow<Program, unknown[]>;

interface Around {
  readonly effects: Effects;
  /** Of its children. */
  readonly workflow: () => ProgramWorkflow;
}

async function runProgram(ctx: WorkflowContext, program: Program, around: Around): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const op of program) results.push(await runOp(ctx, op, around));
  return results;
}

async function runOp(ctx: WorkflowContext, op: Op, around: Around): Promise<unknown> {
  const { effects } = around;
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
    case 'tell': {
      const channel = `${op.name} of ${ctx.instanceId}`;
      if (op.mode === 'group') {
        await ctx.subscribe(channel, 'direct');
        await ctx.joinGroup(channel);
        await ctx.publish(channel, op.value, { group: channel });
        await ctx.leaveGroup(channel);
        await ctx.publish(channel, 'behind its back', { group: channel });
      } else {
        await ctx.subscribe(channel, op.mode);
        if (op.mode === 'direct') await ctx.sendTo(ctx.instanceId, channel, op.value);
        else await ctx.publish(channel, op.value);
      }
      const { data } = await ctx.receive<number>(channel);
      // Whatever came twice, or to who had left, would be there by now.
      const more = await ctx.receive(channel, { timeout: 1 }).then(
        (message) => [data, message.data],
        () => data,
      );
      await ctx.unsubscribe(channel);
      return more;
    }
    case 'post':
      await ctx.sendEvent({ type: 'posted', source: `/${ctx.instanceId}` });
      return 'posted';
    case 'recur': {
      // Called as a child: the whole program is this.
      if (op.left === 0) return 'the last part';
      if (ctx.instanceId.includes('/')) return await ctx.recur([{ ...op, left: op.left - 1 }]);
      const [last] = await ctx.runChild(around.workflow(), [op]);
      return last;
    }
    case 'saga': {
      const things = Array.from({ length: op.count }, (_, index): Op => ({ op: 'undoable', undoFailures: index % 2 }));
      return await ctx.runChild(around.workflow(), [...things, { op: 'fail' }]).then(
        () => 'not failed',
        () => 'undone',
      );
    }
    case 'undoable':
      await ctx.run(undoableOf(op.undoFailures, effects));
      return 'undoable';
    case 'fail':
      throw new Error('as it is told');
    case 'all':
      return await Promise.all(op.branches.map((branch) => runProgram(ctx, branch, around)));
  }
}

function undoableOf(undoFailures: number, effects: Effects) {
  return defineActivity('undoable', (ctx) => effects.note(ctx), {
    retry,
    compensate: async (ctx) => {
      effects.note(ctx);
      await effects.writeRow(ctx, `${ctx.instanceId}/${ctx.activityId}`);
      if (ctx.attempt <= undoFailures) throw new Error(`attempt ${ctx.attempt} undoes nothing`);
    },
  });
}

/** How many events an instance of it puts into the outbox. */
export function postsOf(program: Program): number {
  return program.reduce(
    (sum, op) =>
      sum + (op.op === 'post' ? 1 : op.op === 'all' ? op.branches.reduce((all, branch) => all + postsOf(branch), 0) : 0),
    0,
  );
}

/** How many things the children of an instance of it do and undo; each leaves a row. */
export function undoneOf(program: Program): number {
  return program.reduce(
    (sum, op) =>
      sum + (op.op === 'saga' ? op.count : op.op === 'all' ? op.branches.reduce((all, branch) => all + undoneOf(branch), 0) : 0),
    0,
  );
}
