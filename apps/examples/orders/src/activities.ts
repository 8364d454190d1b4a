// The steps of an order that touch the world: the stock in the database, the payment service.
import { defineActivity } from '@romancy/core';
import type { Order } from './order.js';
import type { PaymentClient } from './payment-client.js';
import type { Stock } from './stock.js';

export type Activities = ReturnType<typeof createActivities>;

/** Whether a charge went through is not known until the service has said so, hence it is asked for as long as it takes. */
const untilItAnswers = { maxAttempts: Infinity, firstDelay: '100ms', maxDelay: '1s' } as const;

export function createActivities({ stock, payments }: { readonly stock: Stock; readonly payments: PaymentClient }) {
  return {
    checkStock: defineActivity('check_stock', (_ctx, order: Order) => stock.find(order.sku)),

    // These three write in the transaction that records their result: each happens exactly once, whatever is killed when.
    reserve: defineActivity('reserve', (ctx, order: Order) => stock.reserve(ctx, order)),
    release: defineActivity('release', (ctx, order: Order) => stock.release(ctx, order)),
    ship: defineActivity('ship', (ctx, order: Order) => stock.ship(ctx, order)),

    // The payment service knows nothing of our transactions: this one may run twice, and the key makes it one charge.
    charge: defineActivity(
      'charge',
      (ctx, { order, amount }: { readonly order: Order; readonly amount: number }) =>
        payments.charge({
          idempotencyKey: `${ctx.instanceId}/${ctx.activityId}`,
          instanceId: ctx.instanceId,
          orderId: order.id,
          card: order.card,
          amount,
          signal: ctx.signal,
        }),
      { timeout: '5s', retry: untilItAnswers },
    ),

    askForSettlement: defineActivity(
      'ask_for_settlement',
      async (ctx, paymentId: string) => {
        const payment = await payments.find(paymentId, ctx.signal);
        if (payment.state === 'authorised') throw new Error(`payment ${paymentId} is not settled yet`);
        return payment;
      },
      { timeout: '5s', retry: untilItAnswers },
    ),
  };
}
