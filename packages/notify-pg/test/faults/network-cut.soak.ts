// A worker process whose network is cut for ten seconds in the middle of all that it does, ten times.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { joinsAgain, owners, workerBehindNetwork } from './network-cut.js';
import { startWorker } from './worker-process.js';

const cutMs = 10_000;

it.each(['hold', 'drop'] as const)('has its work done elsewhere, doubles nothing and joins again (%s)', async (mode) => {
  const cutOff = await workerBehindNetwork(2000);
  const { url, ledger, from } = cutOff;
  for (let round = 0; round < 6; round++) {
    // Its own first, so that it has all of them.
    const before = await ledger.booked();
    await ledger.start(from.romancy, 50, { pauseMs: 0, workMs: 1500 });
    await eventually(async () => (await ledger.booked()) === before + 50, { interval: 1 });
    const [owner, ...others] = await owners(ledger);
    expect(others).toEqual([]);
    const isInTransactions = round % 2 === 1;
    if (isInTransactions) {
      await ledger.start(from.romancy, 100, { pauseMs: 20 });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    }
    cutOff.cut(mode);
    const cutAt = performance.now();
    const elsewhere = await startWorker({ url, notifyUrl: url, leaseDuration: 2000 });
    // With one of its transactions open it cannot be declared dead: the server ends that after ten seconds.
    if (!isInTransactions) await ledger.complete(8000);
    while (performance.now() - cutAt < cutMs) {
      // What is new goes to the other one, and is done before there is more.
      const ids = await ledger.start(from.romancy, 20, { pauseMs: 20 });
      await eventually(async () => (await ledger.ended(ids)) === ids.length, { timeout: 20_000, interval: 20 });
    }
    const isDead = (await ledger.query('SELECT FROM romancy.workers WHERE worker_id = $1', [owner])).length === 0;
    if (!isInTransactions) expect(isDead).toBe(true);
    cutOff.heal();
    await ledger.complete(20_000);
    await elsewhere.stop();
    await joinsAgain(cutOff, isDead ? owner! : null);
  }
});
