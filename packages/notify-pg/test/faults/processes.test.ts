// Worker processes that are killed, stand still, or are too busy to hear: nothing lost, nothing doubled.
import { createDatabase, eventually } from '@romancy/test-support';
import { it } from 'vitest';
import { openLedger } from './ledger.js';
import { healthyApp } from './start-app.js';
import { blockEventLoop, killBeforeNotes } from './worker-faults.js';
import { startWorker } from './worker-process.js';

it('finish all work with every note lost, while workers are killed between commit and note', async () => {
  await killBeforeNotes({ rounds: 3, runs: 40 });
});

it('that stand still for longer than their lease do nothing twice when they go on, and are healthy again', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const from = await healthyApp({ url, workflows: [] });
  const workers = await Promise.all([1, 2].map(() => startWorker({ url, notifyUrl: url, leaseDuration: 1000 })));
  const [frozen] = workers;
  await ledger.start(from.romancy, 100, { pauseMs: 100 });
  await eventually(async () => (await ledger.booked()) > 20, { interval: 1 });
  frozen!.signal('SIGSTOP');
  await ledger.start(from.romancy, 100, { pauseMs: 20 });
  // Twice its lease. What it was committing when it stopped is others' only ten seconds later: see the long runs.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  frozen!.signal('SIGCONT');
  await ledger.start(from.romancy, 100, { pauseMs: 20 });
  await ledger.complete();
  await eventually(async () => (await frozen!.status()).state === 'healthy');
});

it('whose event loop does nothing for two seconds keep their sessions: a deadline that fires late proves nothing', async () => {
  await blockEventLoop(2000);
});
