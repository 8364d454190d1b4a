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
  // Until it is declared dead; or, where it stopped with a transaction open, until its lease is over: what it was committing is others' only
  // ten seconds later, for which see the long runs.
  const gone = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND
      state_change < now() - interval '1500 ms'`;
  await eventually(async () => {
    const alive = await ledger.query('SELECT FROM romancy.workers');
    return alive.length === 2 || (await ledger.query(gone)).length > 0;
  });
  frozen!.signal('SIGCONT');
  await ledger.start(from.romancy, 100, { pauseMs: 20 });
  await ledger.complete();
  await eventually(async () => (await frozen!.status()).state === 'healthy');
});

it('whose event loop does nothing for two seconds keep their sessions: a deadline that fires late proves nothing', async () => {
  await blockEventLoop(2000);
});
