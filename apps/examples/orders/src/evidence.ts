// What there is to say about the end of a run: the evidence, and what the checks make of it.
import type { Days } from './days.js';
import type { Order, OrderEnd } from './order.js';
import type { Notice } from './parcel-ledger.js';
import type { Charge, Refund } from './payment-ledger.js';
import type { Article, Reservation } from './stock.js';

/** How the workflow of an order ended. */
export interface Outcome {
  readonly order: Order;
  /** `failed`: with an error that none should have. */
  readonly result: OrderEnd | { readonly state: 'failed'; readonly reason: string };
}

/** All that is there at the end. */
export interface Evidence {
  readonly outcomes: readonly Outcome[];
  readonly articles: readonly Article[];
  readonly reservations: readonly Reservation[];
  readonly charges: readonly Charge[];
  readonly refunds: readonly Refund[];
  readonly notices: readonly Notice[];
  /** Null: nobody was to write reports. */
  readonly days: Days | null;
}

export interface Check {
  readonly claim: string;
  /** The first few things that say otherwise. Empty: it holds. */
  readonly objections: readonly string[];
}
