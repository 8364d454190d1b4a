// A workflow that uses every durable call, and what it comes to, whatever is killed on the way.
import { defineActivity, defineWorkflow, type ActivityContext, type AnyWorkflow, type RetryOptions } from '../index.js';
import type { Effects } from './durability-effects.js';

/** The event that an instance of it asks for. */
export const everythingEvents: readonly string[] = ['answer'];
/** The activity in whose transaction it writes a row; the row has the same name. */
export const everythingRows: readonly string[] = ['row:1', 'second-thought:1'];

const atOnce: RetryOptions = { maxAttempts: 3, firstDelay: 5, factor: 1, jitter: false };

/** What every instance of it returns. */
export const everythingResult = {
  declared: 2,
  inline: 4,
  echoed: true,
  retried: 3,
  rows: ['row:1', 'second-thought:1'],
  slept: true,
  answer: { to: 'everything' },
  silence: 'WAIT_TIMEOUT',
  all: [1, 2, 'slept'],
  first: 'quick',
  caught: { code: 'ACTIVITY_FAILED', attempts: 2, cause: 'RangeError', distance: 7 },
};

/** The workflow under a name of its own, so that a test can say which process may run which instance. */
export function everythingWorkflow(name: string, effects: Effects): AnyWorkflow {
  const increment = defineActivity('declared', (ctx, input: number) => {
    effects.note(ctx);
    return input + 1;
  });
  const noted =
    <T>(execute: (ctx: ActivityContext) => T) =>
    (ctx: ActivityContext): T => {
      effects.note(ctx);
      return execute(ctx);
    };
  const row = async (ctx: ActivityContext): Promise<string> => {
    await effects.writeRow(ctx, `${ctx.instanceId}/${ctx.activityId}`);
    return ctx.activityId;
  };

  return defineWorkflow(name, async (ctx): Promise<typeof everythingResult> => {
    const recorded = [ctx.now(), ctx.random(), ctx.uuid()];
    const declared = await ctx.run(increment, 1);
    const inline = await ctx.run(
      'inline',
      noted(() => declared * 2),
    );
    const echo = await ctx.run(
      'echo',
      noted(() => recorded),
    );
    const retried = await ctx.run(
      'retried',
      noted(({ attempt }) => {
        if (attempt < 3) throw new Error(`attempt ${attempt} fails`);
        return attempt;
      }),
      { retry: atOnce },
    );
    const rows = [
      await ctx.run('row', noted(row)),
      // What the first attempt writes is rolled back with it.
      await ctx.run(
        'second-thought',
        noted(async (activity) => {
          const written = await row(activity);
          if (activity.attempt === 1) throw new Error('on second thought, no');
          return written;
        }),
        { retry: atOnce },
      ),
    ];
    const before = ctx.now();
    await ctx.sleep(20);
    await ctx.sleepUntil(before + 40);
    const slept = ctx.now() - before >= 40;
    await ctx.run(
      'ask',
      noted(() => effects.ask(ctx.instanceId, 'answer')),
    );
    const { data: answer } = await ctx.waitEvent<typeof everythingResult.answer>('answer');
    const silence = await ctx.waitEvent('silence', { timeout: 20 }).then(() => 'an event', codeOf);
    const all = await Promise.all([
      ctx.run(
        'part',
        noted(() => 1),
      ),
      ctx.run(
        'part',
        noted(() => 2),
        { id: 'the-other-part' },
      ),
      ctx.sleep(10).then(() => 'slept'),
    ]);
    const first = await Promise.race([
      ctx.run(
        'quick',
        noted(() => 'quick'),
      ),
      ctx.sleep('1h').then(() => 'slow'),
      ctx.waitEvent('never').then(() => 'never'),
    ]);
    const caught = await ctx
      .run(
        'failing',
        noted(() => {
          throw Object.assign(new RangeError('too far'), { distance: 7 });
        }),
        { retry: { ...atOnce, maxAttempts: 2 } },
      )
      .catch((error: Error & { attempts: number; cause: Error & { distance: number } }) => ({
        code: codeOf(error),
        attempts: error.attempts,
        cause: error.cause.name,
        distance: error.cause.distance,
      }));
    const echoed = JSON.stringify(echo) === JSON.stringify(recorded);
    return { declared, inline, echoed, retried, rows, slept, answer, silence, all, first, caught };
  });
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
}
