// Work that leaves a trace of each time it took effect.
import { defineActivity, defineWorkflow } from '@romancy/core';
import { postgresTransaction } from '@romancy/storage-postgres';

const book = defineActivity('book', async (ctx, step: string) => {
  const { client } = await postgresTransaction(ctx);
  await client.query('INSERT INTO ledger (instance_id, step) VALUES ($1, $2)', [ctx.instanceId, step]);
});

export interface LedgerInput {
  /** Milliseconds between the two steps; 0: none. */
  readonly pauseMs: number;
  /** Waits for this event between the two steps. */
  readonly event?: string;
  /** So many milliseconds an activity takes between the two steps, which holds no transaction open. */
  readonly workMs?: number;
}

/** How often each instance of {@link ledgered} must be in the ledger. */
export const steps = ['first', 'second'] as const;

export const ledgered = defineWorkflow('ledgered', async (ctx, { pauseMs, event, workMs }: LedgerInput) => {
  await ctx.run(book, steps[0]);
  if (event !== undefined) await ctx.waitEvent(event);
  if (workMs !== undefined) await ctx.run('work', () => new Promise<void>((resolve) => setTimeout(resolve, workMs)));
  if (pauseMs > 0) await ctx.sleep(pauseMs);
  await ctx.run(book, steps[1]);
  return ctx.instanceId;
});
