// Notes that come five seconds late, with the intervals that a notifier has by default: later than a proof may take.
import { createDatabase, startTcpProxy, type TcpProxy } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { delayNotes } from './delay-notes.js';
import { openLedger, type Ledger } from './ledger.js';
import { healthyApp, type StartedApp } from './start-app.js';

const lateMs = 5000;
const usual = { pingInterval: '15s', pingTimeout: '3s', connectTimeout: '5s', reconnectDelay: '5s' } as const;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Late {
  readonly ledger: Ledger;
  readonly from: StartedApp;
  /** Both behind the proxy. */
  readonly workers: readonly StartedApp[];
  readonly proxy: TcpProxy;
}

async function healthyThenLate(): Promise<Late> {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const proxy = await startTcpProxy(url);
  const from = await healthyApp({ url, workflows: [], notifier: usual });
  const notifier = { connectionString: proxy.url, ...usual };
  const workers = await Promise.all([healthyApp({ url, notifier }), healthyApp({ url, notifier })]);
  proxy.onStartup = (connection) => delayNotes(connection, lateMs);
  for (const connection of proxy.connections) delayNotes(connection, lateMs);
  return { ledger, from, workers, proxy };
}

const heal = (proxy: TcpProxy): void => {
  proxy.onStartup = () => undefined;
  // Those that are late behind those that are in time would come in another order: no network does that.
  proxy.cutAll();
};

it('make a quiet process undeliverable, which finds its work by polling, and is healthy when they come in time again', async () => {
  const { ledger, from, workers, proxy } = await healthyThenLate();
  await Promise.all(workers.map((worker) => worker.is('undeliverable', 40_000)));
  for (let round = 0; round < 10; round++) {
    await ledger.start(from.romancy, 20, { pauseMs: 20 });
    await ledger.complete(5000);
  }
  heal(proxy);
  await Promise.all(workers.map((worker) => worker.is('healthy', 20_000)));
  await ledger.start(from.romancy, 20, { pauseMs: 20 });
  await ledger.complete(5000);
});

it('are acted on when they come while others are heard all the time, are not waited for, and have nothing done twice', async () => {
  const { ledger, from, workers, proxy } = await healthyThenLate();
  const end = performance.now() + 90_000;
  while (performance.now() < end) {
    await ledger.start(from.romancy, 5, { pauseMs: 20 });
    await pause(250);
  }
  // By a late note at the latest, or at an upkeep; by now somebody has found out, and polls as if there were no notes.
  await ledger.complete(5000);
  const seen = workers.map(({ states, romancy }) => ({ states: [...states], notifier: romancy.status().notifier }));
  console.log(JSON.stringify(seen));
  expect(seen.map(({ states }) => states.at(-1))).toContain('lossy');
  heal(proxy);
  await Promise.all(workers.map((worker) => worker.is('healthy', 20_000)));
  await ledger.start(from.romancy, 20, { pauseMs: 20 });
  await ledger.complete(5000);
});
