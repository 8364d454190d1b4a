// What is measured: one workflow of three small steps, and the loop that keeps so many of them going at once.
import { randomUUID } from 'node:crypto';
import { defineWorkflow } from '@romancy/core';

/** About 200 bytes as JSON. */
export interface OrderInput {
  readonly orderId: string;
  readonly customer: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly cents: number }[];
}

/** About 100 bytes as JSON. */
export interface StepOutput {
  readonly step: string;
  readonly reference: string;
  readonly cents: number;
}

/** The steps of the workflow, in their order. */
export const stepNames = ['reserve', 'charge', 'ship'] as const;

export function makeInput(): OrderInput {
  const line = (sku: string) => ({ sku, quantity: 2, cents: 1999 });
  return { orderId: randomUUID(), customer: 'customer-000017', lines: [line('sku-000101'), line('sku-000102')] };
}

/**
 * A step as both sides run it: a promise that is settled at once. So all that is measured is what it costs to keep the result; a step
 * that waits for a network would hide that behind the network.
 */
export async function takeStep(step: string, input: OrderInput): Promise<StepOutput> {
  return { step, reference: `${step}-${input.orderId}`, cents: input.lines.reduce((sum, line) => sum + line.cents, 0) };
}

export const orderWorkflow = defineWorkflow('bench_order', async (ctx, input: OrderInput) => {
  let last: StepOutput | undefined;
  for (const name of stepNames) last = await ctx.run(name, () => takeStep(name, input));
  return last!;
});

/**
 * Runs `one` `count` times, `concurrency` at a time: whenever one ends the next begins.
 * @returns how long all of them took, in milliseconds.
 */
export async function closedLoop(
  { count, concurrency }: { readonly count: number; readonly concurrency: number },
  one: () => Promise<void>,
): Promise<number> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left--;
      await one();
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, lane));
  return performance.now() - began;
}
