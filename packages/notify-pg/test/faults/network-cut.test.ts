// A worker process whose network is cut, its storage and its notifier at once, and which goes on as if nothing had happened.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { joinsAgain, owners, workerBehindNetwork } from './network-cut.js';
import { healthyApp } from './start-app.js';

it('has its work done elsewhere, can double nothing with what arrives when the network has healed, and joins again', async () => {
  const cutOff = await workerBehindNetwork(1000);
  const { url, ledger, from } = cutOff;
  await ledger.start(from.romancy, 20, { pauseMs: 0, workMs: 700 });
  await eventually(async () => (await ledger.booked()) === 20, { interval: 1 });
  const [owner, ...others] = await owners(ledger);
  expect(others).toEqual([]);
  cutOff.cut('hold');
  // It knows of nobody who could be missing, and must find what it never heard of.
  const elsewhere = await healthyApp({ url, leaseDuration: 1000 });
  await ledger.start(from.romancy, 20);
  // All of it, while the one that had it is still cut off, and has its own results in the line.
  await ledger.complete(5000);
  expect(await ledger.query('SELECT FROM romancy.workers WHERE worker_id = $1', [owner])).toEqual([]);
  cutOff.heal();
  await elsewhere.romancy.stop();
  await joinsAgain(cutOff, owner!);
});
