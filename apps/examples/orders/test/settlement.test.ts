// Shows how a settlement comes from the payment service to its workflow, and when the service stops trying.
import { join } from 'node:path';
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { eventually, temporaryDirectory } from '@romancy/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { createPaymentFaults } from '../src/payment-faults.js';
import { PaymentLedger, type Charge } from '../src/payment-ledger.js';
import { SettlementDesk } from '../src/settlement-desk.js';
import type { ContentMode } from '../src/settlement-event.js';
import { openSettlementWebhook } from '../src/settlement-webhook.js';

const order = defineWorkflow('order', async (ctx, waits: boolean) => {
  if (!waits) return null;
  const { source, id, subject, data } = await ctx.waitEvent('payment.settled', { timeout: '30s' });
  return { source, id, subject, data };
});

async function openShop(modes: Readonly<Record<string, ContentMode>> = {}) {
  const folder = await temporaryDirectory();
  const storage = createSqliteStorage({ filename: join(folder, 'orders.db') });
  const romancy = new Romancy({ storage, workflows: [order], workflowPollInterval: '20ms', logger: silentLogger });
  await romancy.start();
  onTestFinished(() => romancy.stop());
  const reported: string[] = [];
  const webhook = await openSettlementWebhook(romancy, { token: 'secret', onSettlement: (id) => void reported.push(id) });
  onTestFinished(() => webhook.close());

  const ledger = new PaymentLedger(join(folder, 'payments.db'));
  onTestFinished(() => ledger.close());
  const faults = {
    ...createPaymentFaults(null),
    settlementDelayOf: () => 0,
    reportsOf: () => 2,
    modeOf: (key: string) => modes[key] ?? 'structured',
  };
  const desk = new SettlementDesk({ ledger, faults, shop: { url: webhook.url, token: 'secret' } });
  onTestFinished(() => desk.close());
  const settle = (instanceId: string, orderId: string): Charge => {
    const charge = ledger.charge({ key: instanceId, instanceId, orderId, amount: 100, card: 'visa-4242' });
    desk.take(charge);
    return charge;
  };
  return { romancy, webhook, ledger, settle, reported };
}

it.each<ContentMode>(['structured', 'binary'])('brings a settlement in %s mode to its workflow, once', async (mode) => {
  const id = 'order-café/1%2F';
  const { romancy, ledger, settle, reported } = await openShop({ [id]: mode });
  const handle = await romancy.startWorkflow(order, true, { instanceId: id });
  const charge = settle(id, 'café "1" %');
  expect(await handle.result()).toEqual({
    source: '/payment-service',
    id: charge.id,
    subject: 'café "1" %',
    data: { id: charge.id, state: 'settled', reason: null },
  });
  // The second report may come before the order has ended or behind it.
  await eventually(() => ledger.unreported().length === 0 && reported.length === 2);
  expect(new Set(reported)).toEqual(new Set([id]));
});

it('is told no more of an order that has ended, or that is not there', async () => {
  const { romancy, ledger, settle, reported } = await openShop();
  await (await romancy.startWorkflow(order, false, { instanceId: 'ended' })).result();
  settle('ended', '1');
  settle('unknown', '2');
  await eventually(() => ledger.unreported().length === 0);
  await eventually(() => reported.length === 4);
});

it('lets nobody in who has no token', async () => {
  const { romancy, webhook } = await openShop();
  await romancy.startWorkflow(order, true, { instanceId: 'mine' });
  const response = await fetch(`${webhook.url}/instances/mine/cancel`, { method: 'POST' });
  expect(response.status).toBe(401);
  expect((await romancy.get('mine'))?.cancelRequested).toBe(false);
});

it('gives money back once, and only where there was some', async () => {
  const { ledger } = await openShop();
  const charge = (key: string, card = 'visa-4242'): Charge =>
    ledger.charge({ key, instanceId: key, orderId: key, amount: 100, card });
  const [paid, open, refused] = [charge('paid'), charge('open'), charge('refused', 'visa-0341')];
  ledger.settle('paid');
  ledger.settle('refused');
  for (const { id, key } of [paid, paid, open, refused]) ledger.refund({ key: `${key}/refund`, paymentId: id });
  expect(ledger.refunds()).toEqual([{ key: 'paid/refund', paymentId: paid.id, orderId: 'paid', amount: 100, requests: 2 }]);
  // What was taken back before its settlement is not settled later.
  expect(ledger.settle('open').state).toBe('refused');
  expect(ledger.refund({ key: 'x', paymentId: 'none' })).toBeUndefined();
});
