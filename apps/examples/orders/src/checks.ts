// Holds the end of a run against what must be true: states, stock and charges tell the same story.
import type { Order, OrderResult } from './order.js';
import type { Charge } from './payment-ledger.js';
import type { Article, Reservation } from './stock.js';

/** How the workflow of an order ended. */
export interface Outcome {
  readonly order: Order;
  /** `failed`: it threw, which none should. */
  readonly result: OrderResult | { readonly state: 'failed'; readonly reason: string };
}

/** All that is there at the end. */
export interface Evidence {
  readonly outcomes: readonly Outcome[];
  readonly articles: readonly Article[];
  readonly reservations: readonly Reservation[];
  readonly charges: readonly Charge[];
}

export interface Check {
  readonly claim: string;
  /** The first few things that say otherwise. Empty: it holds. */
  readonly objections: readonly string[];
}

export function checkRun(evidence: Evidence): readonly Check[] {
  return [checkStates(evidence), checkStock(evidence), checkCharges(evidence)];
}

function checkStates({ outcomes }: Evidence): Check {
  return {
    claim: `every order is in one final state: ${outcomes.length} of ${outcomes.length}`,
    objections: outcomes.flatMap(({ order, result }) =>
      result.state === 'failed' ? [`order ${order.id} failed: ${result.reason}`] : [],
    ),
  };
}

function checkStock({ outcomes, articles, reservations }: Evidence): Check {
  const objections: string[] = [];
  const pieces = (state: Reservation['state'], sku?: string): number =>
    reservations.reduce((sum, one) => (one.state === state && (sku ?? one.sku) === one.sku ? sum + one.quantity : sum), 0);
  for (const { sku, initial, available } of articles) {
    const gone = pieces('shipped', sku) + pieces('held', sku);
    if (available < 0 || available + gone !== initial) {
      objections.push(`${sku}: ${initial} at the start, but ${gone} taken and ${available} left`);
    }
  }
  const stateOf = new Map(reservations.map(({ orderId, state }) => [orderId, state]));
  for (const { order, result } of outcomes) {
    const expected = { shipped: 'shipped', declined: 'released', rejected: undefined, failed: undefined }[result.state];
    const found = stateOf.get(order.id);
    if (found !== expected) {
      objections.push(`order ${order.id} is ${result.state}, but its reservation is ${found ?? 'not there'}`);
    }
  }
  const total = (member: 'initial' | 'available'): number => articles.reduce((sum, article) => sum + article[member], 0);
  return {
    claim: `the stock adds up: ${total('initial')} pieces at the start = ${pieces('shipped')} shipped + ${total('available')} left`,
    objections,
  };
}

function checkCharges({ outcomes, charges }: Evidence): Check {
  const objections: string[] = [];
  const ofOrder = new Map<string, Charge[]>();
  for (const charge of charges) ofOrder.set(charge.orderId, [...(ofOrder.get(charge.orderId) ?? []), charge]);
  for (const { order, result } of outcomes) {
    const [charge, ...more] = ofOrder.get(order.id) ?? [];
    if (more.length > 0) objections.push(`order ${order.id} was charged ${more.length + 1} times`);
    const paid = charge?.state === 'settled' ? charge.amount : 0;
    const due = result.state === 'shipped' ? result.amount : 0;
    if (paid !== due) objections.push(`order ${order.id} is ${result.state}, ${due} cents are due, and ${paid} were paid`);
  }
  const again = charges.reduce((sum, { requests }) => sum + requests - 1, 0);
  return {
    claim: `nobody was charged twice: ${charges.length} charges for ${ofOrder.size} orders, ${again} repeated requests known by their keys`,
    objections,
  };
}
