// The life of one order, from the stock to the parcel.
import { defineWorkflow, WaitTimeoutError, type WorkflowContext } from '@romancy/core';
import type { Activities } from './activities.js';
import type { Order, OrderResult } from './order.js';
import type { Payment } from './payment-client.js';
import { PaymentRefused } from './refusals.js';

/**
 * Every line that a process has got through stays done: when it is killed, another one goes on behind it. When a line throws, what was
 * done before is undone, the last first: `charge` by a refund, `reserve` by a release.
 */
export function createOrderWorkflow({ checkStock, reserve, charge, askForSettlement, bookParcel, ship }: Activities) {
  return defineWorkflow('order', async (ctx, order: Order): Promise<OrderResult> => {
    const article = await ctx.run(checkStock, order);
    if (article === undefined) return { state: 'rejected', reason: 'no such article' };
    if (article.available < order.quantity) return { state: 'rejected', reason: 'out of stock' };

    // Between the look and this line others may have been faster.
    const isReserved = await ctx.run(reserve, order);
    if (!isReserved) return { state: 'rejected', reason: 'out of stock' };

    const amount = article.price * order.quantity;
    const payment = await ctx.run(charge, { order, amount });
    const settled = await settlementOf(ctx, payment);
    if (settled.state === 'refused') throw new PaymentRefused(settled.reason ?? 'refused');

    await ctx.run(bookParcel, order);
    await ctx.run(ship, { order, amount });
    return { state: 'shipped', amount };
  });

  /** The payment service calls when a payment is settled. When it does not for a minute, we ask. */
  async function settlementOf(ctx: WorkflowContext, payment: Payment): Promise<Payment> {
    try {
      const event = await ctx.waitEvent<Payment>('payment.settled', { timeout: '1m' });
      return event.data;
    } catch (error) {
      if (error instanceof WaitTimeoutError) return await ctx.run(askForSettlement, payment.id);
      throw error;
    }
  }
}
