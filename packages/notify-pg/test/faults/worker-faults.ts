// What befalls workers for moments in the quick tests, and for long in the soaks.
import { createDatabase, eventually, startTcpProxy } from '@romancy/test-support';
import { expect } from 'vitest';
import { openLedger } from './ledger.js';
import { healthyApp } from './start-app.js';
import { startWorker } from './worker-process.js';

/** Every note is lost, and in each round one of two workers is killed between a commit and its notes, with runs under way. All is finished. */
export async function killBeforeNotes({
  rounds,
  runs,
}: {
  readonly rounds: number;
  /** Started in each round. */
  readonly runs: number;
}): Promise<void> {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const proxy = await startTcpProxy(url);
  const from = await healthyApp({ url, workflows: [] });
  const worker = () => startWorker({ url, notifyUrl: proxy.url, leaseDuration: 1000 });
  let [doomed, survivor] = await Promise.all([worker(), worker()]);
  const deaf = (): void => {
    for (const connection of proxy.connections) {
      connection.onFrame = ({ kind }) => (kind === 'A' ? 'drop' : 'pass');
      // What they commit they cannot tell any more.
      if (connection.startup.get('application_name')?.endsWith(':sending')) connection.toServer.mode = 'hold';
    }
  };
  for (let round = 0; round < rounds; round++) {
    deaf();
    const before = await ledger.booked();
    await ledger.start(from.romancy, runs, { pauseMs: 20 });
    await eventually(async () => (await ledger.booked()) > before + 10, { interval: 1 });
    await doomed.kill();
    [doomed, survivor] = [survivor, await worker()];
  }
  deaf();
  await ledger.complete(30_000);
}

/** The event loop of a worker does nothing for so long, while work is started for it: its sessions are kept, and it goes on at once. */
export async function blockEventLoop(ms: number): Promise<void> {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const from = await healthyApp({ url, workflows: [] });
  const worker = await startWorker({ url, notifyUrl: url, leaseDuration: 60_000 });
  const blocked = worker.block(ms);
  await ledger.start(from.romancy, ms / 20, { pauseMs: 5 });
  await blocked;
  await ledger.complete();
  expect(await worker.status()).toMatchObject({ state: 'healthy', reconnects: 0 });
}
