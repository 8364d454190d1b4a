// Shows that the checks at the end see what they are there for.
import { expect, it } from 'vitest';
import { checkRun, type Evidence, type Outcome } from '../src/checks.js';
import type { Charge } from '../src/payment-ledger.js';

function outcome(id: string, result: Outcome['result']): Outcome {
  return { order: { id, customer: 'Ada', sku: 'kite', quantity: 2, card: 'visa-4242' }, result };
}

function charge(orderId: string, state: Charge['state'], key = `order-${orderId}/charge:1`): Charge {
  return { key, id: key, instanceId: `order-${orderId}`, orderId, amount: 4300, state, reason: null, requests: 1 };
}

const good: Evidence = {
  outcomes: [
    outcome('1', { state: 'shipped', amount: 4300 }),
    outcome('2', { state: 'rejected', reason: 'out of stock' }),
    outcome('3', { state: 'declined', reason: 'card declined' }),
    outcome('4', { state: 'declined', reason: 'refused' }),
  ],
  articles: [{ sku: 'kite', price: 2150, initial: 10, available: 8 }],
  reservations: [
    { orderId: '1', sku: 'kite', quantity: 2, state: 'shipped' },
    { orderId: '3', sku: 'kite', quantity: 2, state: 'released' },
    { orderId: '4', sku: 'kite', quantity: 2, state: 'released' },
  ],
  charges: [charge('1', 'settled'), charge('3', 'declined'), charge('4', 'refused')],
};

function objections(changes: Partial<Evidence>): readonly string[] {
  return checkRun({ ...good, ...changes }).flatMap((check) => check.objections);
}

it('agree with a run in which everything is as it should be', () => {
  expect(objections({})).toEqual([]);
});

it.each<[string, Partial<Evidence>, string]>([
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
    { charges: good.charges.map((one) => ({ ...one, state: 'refused' as const })) },
    'order 1 is shipped, 4300 cents are due, and 0 were paid',
  ],
])('object to %s', (_what, changes, objection) => {
  expect(objections(changes)).toEqual([objection]);
});
