// Shows that the checks at the end see what they are there for.
import { expect, it } from 'vitest';
import { checkRun } from '../src/checks.js';
import type { Evidence, Outcome } from '../src/evidence.js';
import type { Notice } from '../src/parcel-ledger.js';
import type { Charge, Refund } from '../src/payment-ledger.js';

function outcome(id: string, result: Outcome['result']): Outcome {
  return { order: { id, customer: 'Ada', sku: 'kite', quantity: 2, card: 'visa-4242' }, result };
}

function charge(orderId: string, state: Charge['state'], key = `order-${orderId}/charge:1`): Charge {
  return { key, id: key, instanceId: `order-${orderId}`, orderId, amount: 4300, state, reason: null, requests: 1 };
}

function refund(orderId: string, amount: number, key = `order-${orderId}/charge:1/compensate`): Refund {
  return { key, paymentId: `order-${orderId}/charge:1`, orderId, amount, requests: 1 };
}

function notice(orderId: string, id = `order-${orderId}/ship:1`): Notice {
  return { source: '/orders', id, type: 'order.shipped', orderId, pieces: 2, times: 1 };
}

const good: Evidence = {
  outcomes: [
    outcome('1', { state: 'shipped', amount: 4300 }),
    outcome('2', { state: 'rejected', reason: 'out of stock' }),
    outcome('3', { state: 'declined', reason: 'card declined' }),
    outcome('4', { state: 'declined', reason: 'refused' }),
    outcome('5', { state: 'refunded', reason: 'too heavy' }),
  ],
  articles: [{ sku: 'kite', price: 2150, initial: 10, available: 8 }],
  reservations: [
    { orderId: '1', sku: 'kite', quantity: 2, state: 'shipped', day: 2 },
    { orderId: '3', sku: 'kite', quantity: 2, state: 'released', day: null },
    { orderId: '4', sku: 'kite', quantity: 2, state: 'released', day: null },
    { orderId: '5', sku: 'kite', quantity: 2, state: 'released', day: null },
  ],
  charges: [charge('1', 'settled'), charge('3', 'declined'), charge('4', 'refused'), charge('5', 'settled')],
  refunds: [refund('5', 4300)],
  notices: [notice('1')],
  days: {
    reports: [
      { day: 1, orders: 0, pieces: 0, amount: 0 },
      { day: 2, orders: 1, pieces: 2, amount: 4300 },
    ],
    chain: [3, 2, 1],
  },
};
const { reports } = good.days!;

function objections(changes: Partial<Evidence>): readonly string[] {
  return checkRun({ ...good, ...changes }).flatMap((check) => check.objections);
}

it('agree with a run in which everything is as it should be', () => {
  expect(objections({})).toEqual([]);
});

it('ask nothing of reports where nobody was to write any', () => {
  expect(objections({ days: null })).toEqual([]);
  expect(checkRun(good)).toHaveLength(6);
  expect(checkRun({ ...good, days: null })).toHaveLength(5);
});

it('agree when the workers were stopped between a report and the next day', () => {
  expect(objections({ days: { reports, chain: [2, 1] } })).toEqual([]);
});

it.each<[string, Partial<Evidence>, ...string[]]>([
  ['a workflow that failed', { outcomes: [outcome('2', { state: 'failed', reason: 'oh' })] }, 'order 2 failed: oh'],
  [
    'pieces that vanished',
    { articles: [{ sku: 'kite', price: 2150, initial: 10, available: 7 }] },
    'kite: 10 at the start, but 2 taken and 7 left',
  ],
  [
    'a reservation that nobody released',
    {
      articles: [{ sku: 'kite', price: 2150, initial: 10, available: 6 }],
      reservations: good.reservations.map((one) => (one.orderId === '3' ? { ...one, state: 'held' } : one)),
    },
    'order 3 is declined, but its reservation is held',
  ],
  [
    'an order that was shipped without pieces',
    {
      articles: [{ sku: 'kite', price: 2150, initial: 10, available: 10 }],
      reservations: good.reservations.filter(({ orderId }) => orderId !== '1'),
    },
    'order 1 is shipped, but its reservation is not there',
    'day 2: 0 orders with 0 pieces, but its report says 1 with 2',
  ],
  [
    'a second charge for one order',
    { charges: [...good.charges, charge('1', 'settled', 'order-1/charge:2')] },
    'order 1 was charged 2 times',
  ],
  [
    'a charge that was settled for an order that was not shipped',
    { charges: [...good.charges, charge('2', 'settled')] },
    'order 2 is rejected, 0 cents are due, and 4300 were paid',
  ],
  [
    'an order that was shipped without being paid',
    { charges: good.charges.map((one) => (one.orderId === '1' ? { ...one, state: 'refused' } : one)) },
    'order 1 is shipped, 4300 cents are due, and 0 were paid',
  ],
  [
    'an order that was paid, refused, and not refunded',
    { refunds: [] },
    'order 5 is refunded, 0 cents are due, and 4300 were paid',
    'order 5 is refunded and has 0 refunds',
  ],
  [
    'a refund that was made twice',
    { refunds: [...good.refunds, refund('5', 4300, 'other')] },
    'order 5 is refunded, 0 cents are due, and -4300 were paid',
    'order 5 is refunded and has 2 refunds',
  ],
  [
    'a refund of something else than was paid',
    { refunds: [refund('5', 4000)] },
    'order 5 is refunded, 0 cents are due, and 300 were paid',
    'order 5 was paid with 4300 cents, and 4000 went back',
  ],
  [
    'a refund for somebody who has the goods',
    { refunds: [...good.refunds, refund('1', 4300)] },
    'order 1 is shipped, 4300 cents are due, and 0 were paid',
    'order 1 is shipped and has 1 refunds',
  ],
  ['an order that was shipped without an event', { notices: [] }, 'order 1 is shipped and has 0 events'],
  ['a second event for one order', { notices: [...good.notices, notice('1', 'other')] }, 'order 1 is shipped and has 2 events'],
  ['an event of an order that was not shipped', { notices: [notice('1'), notice('5')] }, 'order 5 is refunded and has 1 events'],
  [
    'an event that says something else',
    { notices: [{ ...notice('1'), type: 'order.lost', pieces: 3 }] },
    'an event of order 1 is of type order.lost',
    'order 1 has 2 pieces, its event says 3',
  ],
  [
    'a shipped order in no report',
    { reservations: good.reservations.map((one) => ({ ...one, day: null })) },
    'day 2: 0 orders with 0 pieces, but its report says 1 with 2',
    'order 1 is shipped, but in no report',
  ],
  ['a day without a report', { days: { reports: reports.slice(1), chain: [3, 2, 1] } }, 'day 1 is over and has no report'],
  ['a report without a part of the workflow', { days: { reports, chain: [1] } }, 'the report of day 2 was written by nobody'],
  [
    'parts that do not hang together',
    { days: { reports, chain: [3, 2, 2, 1] } },
    'the days do not follow one another: 1, 2, 2, 3',
  ],
])('object to %s', (_what, changes, ...expected) => {
  expect(objections(changes)).toEqual(expected);
});

it('count what came again, and take it for nothing more', () => {
  const again: Partial<Evidence> = {
    notices: [{ ...notice('1'), times: 3 }],
    refunds: [{ ...refund('5', 4300), requests: 2 }],
  };
  expect(objections(again)).toEqual([]);
  const claims = checkRun({ ...good, ...again }).map(({ claim }) => claim);
  expect(claims).toContain('every parcel was announced by one event: 1 events, which came 2 times too often');
  expect(claims).toContain('whoever was refused after paying has the money back: 1 refunds for 1 orders, 1 repeated requests');
});
