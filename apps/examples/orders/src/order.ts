// What an order is, and what can become of it.

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly sku: string;
  readonly quantity: number;
  /** A card of the payment service's test mode; its last four digits decide what happens. */
  readonly card: string;
}

/** What the workflow of an order gives when it completes. It fails with one of `refusals.ts` otherwise. Amounts are in cents. */
export type OrderResult =
  { readonly state: 'shipped'; readonly amount: number } | { readonly state: 'rejected'; readonly reason: string };

/** The final states: the two results, and what the failures come to once everything is undone. */
export type OrderEnd =
  OrderResult | { readonly state: 'declined'; readonly reason: string } | { readonly state: 'refunded'; readonly reason: string };

/** The id of the workflow instance that takes care of an order: one order, one workflow, however often the demo is started. */
export function instanceIdOf(order: Order): string {
  return `order-${order.id}`;
}
