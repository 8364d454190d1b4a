// The steps of an order that touch the world: the stock in the database, the payment service, the parcel service. And that of a day.
import { defineActivity } from '@romancy/core';
import type { Order } from './order.js';
import type { ParcelClient } from './parcel-client.js';
import type { PaymentClient } from './payment-client.js';
import type { Stock } from './stock.js';

export type Activities = ReturnType<typeof createActivities>;

export interface ActivityParts {
  readonly stock: Stock;
  readonly payments: PaymentClient;
  readonly parcels: ParcelClient;
}

/** Whether a charge went through is not known until the service has said so, hence it is asked for as long as it takes. */
const untilItAnswers = { timeout: '5s', retry: { maxAttempts: Infinity, firstDelay: '100ms', maxDelay: '1s' } } as const;

export function createActivities({ stock, payments, parcels }: ActivityParts) {
  return {
    checkStock: defineActivity('check_stock', (_ctx, order: Order) => stock.find(order.sku)),

    // What `reserve`, its undoing, `ship` and `closeDay` write is in the transaction that records their result: each happens exactly once,
    // whatever is killed when.
    reserve: defineActivity('reserve', (ctx, order: Order) => stock.reserve(ctx, order), {
      compensate: async (ctx, order, isReserved) => {
        if (isReserved) await stock.release(ctx, order);
      },
    }),

    // The payment service knows nothing of our transactions: these two may run twice, and the keys make it one charge and one refund.
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
      {
        ...untilItAnswers,
        compensate: (ctx, _input, payment) =>
          payments.refund({
            idempotencyKey: `${ctx.instanceId}/${ctx.activityId}`,
            paymentId: payment.id,
            signal: ctx.signal,
          }),
      },
    ),

    askForSettlement: defineActivity(
      'ask_for_settlement',
      async (ctx, paymentId: string) => {
        const payment = await payments.find(paymentId, ctx.signal);
        if (payment.state === 'authorised') throw new Error(`payment ${paymentId} is not settled yet`);
        return payment;
      },
      untilItAnswers,
    ),

    // Nothing undoes it: the parcel service fetches no parcel before it is told by the event below that it has been shipped.
    bookParcel: defineActivity(
      'book_parcel',
      (ctx, order: Order) => parcels.book({ idempotencyKey: `${ctx.instanceId}/${ctx.activityId}`, order, signal: ctx.signal }),
      untilItAnswers,
    ),

    // The event goes into the outbox in the same transaction: there is one if, and only if, the order was shipped.
    ship: defineActivity('ship', async (ctx, { order, amount }: { readonly order: Order; readonly amount: number }) => {
      await stock.ship(ctx, order);
      await ctx.sendEvent({
        id: `${ctx.instanceId}/${ctx.activityId}`,
        type: 'order.shipped',
        source: '/orders',
        subject: order.id,
        data: { orderId: order.id, sku: order.sku, pieces: order.quantity, amount },
      });
    }),

    closeDay: defineActivity('close_day', (ctx, day: number) => stock.closeDay(ctx, day)),
  };
}
