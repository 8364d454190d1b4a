// The workflows whose parts are counted: each of their steps waits to be let through.
import { defineWorkflow, type ActivityContext } from '@romancy/core';
import { Turnstile } from '../turnstile.js';
import { takeStep, type OrderInput } from '../workload.js';

/** The payload that is sent about: as large as the result of a step. */
export const payload = { step: 'reserve', reference: 'reserve-00000000-0000-4000-8000-000000000000', cents: 3998 };

/** @param write does something in the activity's own transaction. */
export function costWorkflows(write: (ctx: ActivityContext) => Promise<void>) {
  const turnstile = new Turnstile();
  /** The result of a step, once it was let through. */
  const held = async (input: OrderInput) => {
    await turnstile.pass();
    return await takeStep('held', input);
  };
  const steps = defineWorkflow('cost_steps', async (ctx, input: OrderInput) => {
    await ctx.run('first', () => held(input));
    await ctx.run('second', () => held(input));
    return await ctx.run('third', () => held(input));
  });
  const empty = defineWorkflow('cost_empty', async (_ctx, _input: OrderInput) => payload);
  const transaction = defineWorkflow('cost_transaction', async (ctx, input: OrderInput) => {
    await ctx.run('first', () => held(input));
    await ctx.run('writes', async (activity) => {
      await write(activity);
      return payload;
    });
    await ctx.run('last', () => held(input));
  });
  const event = defineWorkflow('cost_event', async (ctx, input: OrderInput) => {
    await ctx.run('first', () => held(input));
    await ctx.waitEvent('cost.go');
    await ctx.run('last', () => held(input));
  });
  const message = defineWorkflow('cost_message', async (ctx, input: OrderInput) => {
    await ctx.subscribe('cost', 'broadcast');
    await ctx.run('first', () => held(input));
    await ctx.receive('cost');
    await ctx.run('last', () => held(input));
  });
  const timer = defineWorkflow('cost_timer', async (ctx, input: OrderInput) => {
    await ctx.run('first', () => held(input));
    await ctx.sleep(25);
    await ctx.run('last', () => held(input));
  });
  const retry = defineWorkflow('cost_retry', async (ctx, input: OrderInput) => {
    await ctx.run('first', () => held(input));
    await ctx.run(
      'fails',
      async ({ attempt }) => {
        if (attempt === 1) throw new Error('an attempt that fails');
        return await held(input);
      },
      { retry: { firstDelay: 25, jitter: false } },
    );
  });
  const recurring = defineWorkflow('cost_recur', async (ctx, { input, left }: { input: OrderInput; left: number }) => {
    await ctx.run('only', () => held(input));
    if (left > 0) await ctx.recur({ input, left: left - 1 });
  });
  const parent = defineWorkflow('cost_parent', async (ctx, input: OrderInput) => {
    await ctx.run('first', () => held(input));
    await ctx.runChild(empty, input);
    await ctx.run('last', () => held(input));
  });
  const outbox = defineWorkflow('cost_outbox', async (ctx, input: OrderInput) => {
    await ctx.run('first', () => held(input));
    await ctx.sendEvent({ type: 'cost.sent', source: '/cost', data: payload });
    await ctx.run('last', () => held(input));
  });
  return { turnstile, steps, empty, transaction, event, message, timer, retry, recurring, parent, outbox };
}

export type CostWorkflows = ReturnType<typeof costWorkflows>;
