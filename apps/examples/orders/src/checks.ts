// Holds the end of a run against what must be true: states, stock, money, events and reports tell the same story.
import { checkCharges, checkRefunds } from './check-money.js';
import { checkNotices } from './check-notices.js';
import { checkReports } from './check-reports.js';
import { findDays } from './days.js';
import type { Check, Evidence, Outcome } from './evidence.js';
import type { Shop } from './shop.js';
import type { Reservation } from './stock.js';

/** Asks everybody who knows something. When all is done, and no worker is there any more. */
export async function gatherEvidence(shop: Shop, outcomes: readonly Outcome[]): Promise<Evidence> {
  const { stock, romancy } = shop;
  return {
    outcomes,
    articles: await stock.articles(),
    reservations: await stock.reservations(),
    charges: await shop.charges(),
    refunds: await shop.refunds(),
    notices: await shop.notices(),
    days: await findDays(romancy, stock),
  };
}

export function checkRun(evidence: Evidence): readonly Check[] {
  const checks = [checkStates, checkStock, checkCharges, checkRefunds, checkNotices].map((check) => check(evidence));
  const { days, reservations } = evidence;
  return days === null ? checks : [...checks, checkReports({ days, reservations })];
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
  const expected = { shipped: 'shipped', declined: 'released', refunded: 'released', rejected: undefined, failed: undefined };
  for (const { order, result } of outcomes) {
    const found = stateOf.get(order.id);
    if (found !== expected[result.state]) {
      objections.push(`order ${order.id} is ${result.state}, but its reservation is ${found ?? 'not there'}`);
    }
  }
  const total = (member: 'initial' | 'available'): number => articles.reduce((sum, article) => sum + article[member], 0);
  return {
    claim: `the stock adds up: ${total('initial')} pieces at the start = ${pieces('shipped')} shipped + ${total('available')} left`,
    objections,
  };
}
