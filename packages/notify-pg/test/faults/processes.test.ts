// Worker processes that are killed, stand still, or are too busy to hear: nothing lost, nothing doubled.
import { createDatabase, eventually, type FrameFate, startTcpProxy } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { openLedger } from './ledger.js';
import { healthyApp } from './start-app.js';
import { startWorker } from './worker-process.js';

const noNotes = ({ kind }: { readonly kind: string }): FrameFate => (kind === 'A' ? 'drop' : 'pass');

it('finish all work with every note lost, while workers are killed between commit and note', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const proxy = await startTcpProxy(url);
  const from = await healthyApp({ url, workflows: [] });
  const worker = () => startWorker({ url, notifyUrl: proxy.url, leaseDuration: 1000 });
  let [doomed, survivor] = await Promise.all([worker(), worker()]);
  const deaf = (): void => {
    for (const connection of proxy.connections) {
      connection.onFrame = noNotes;
      // What they commit they cannot tell any more.
      if (connection.startup.get('application_name')?.endsWith(':sending')) connection.toServer.mode = 'hold';
    }
  };
  for (let round = 0; round < 3; round++) {
    deaf();
    const before = await ledger.booked();
    await ledger.start(from.romancy, 40, { pauseMs: 20 });
    await eventually(async () => (await ledger.booked()) > before + 10, { interval: 1 });
    await doomed.kill();
    [doomed, survivor] = [survivor, await worker()];
  }
  deaf();
  await ledger.complete(20_000);
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
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const from = await healthyApp({ url, workflows: [] });
  const worker = await startWorker({ url, notifyUrl: url, leaseDuration: 30_000 });
  const blocked = worker.block(2000);
  await ledger.start(from.romancy, 50, { pauseMs: 5 });
  await blocked;
  await ledger.complete(3000);
  expect(await worker.status()).toMatchObject({ state: 'healthy', reconnects: 0 });
});
