// Long runs against servers of their own: stopped, away at the start, and with a queue that somebody holds for long.
import { afterwards, eventually, type PostgresCluster, startPostgres, startTcpProxy } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { healthyNotifier } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { smallQueueServer, tooOld } from '../small-queue.js';
import { type Ledger, openLedger } from './ledger.js';
import { healthyApp, startApp, type StartedApp } from './start-app.js';
import { startWorker } from './worker-process.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A server of its own, a starter, and two worker processes. */
async function withWorkers(): Promise<{
  readonly server: PostgresCluster;
  readonly ledger: Ledger;
  readonly from: StartedApp;
  areHealthy(): Promise<void>;
}> {
  const server = await startPostgres();
  afterwards(() => server.stop());
  const { url } = server;
  const ledger = await openLedger(url);
  const from = await healthyApp({ url, workflows: [] });
  const workers = await Promise.all([startWorker({ url, notifyUrl: url }), startWorker({ url, notifyUrl: url })]);
  const areHealthy = async (): Promise<void> => {
    for (const worker of workers) await eventually(async () => (await worker.status()).state === 'healthy');
  };
  return { server, ledger, from, areHealthy };
}

it('comes through a server that stands still for thirty seconds', async () => {
  const { server, ledger, from, areHealthy } = await withWorkers();
  await ledger.start(from.romancy, 300, { pauseMs: 100 });
  await server.freeze();
  await from.is('connecting', 5000);
  await pause(30_000);
  await server.thaw();
  await from.is('healthy', 5000);
  await ledger.complete(40_000);
  await areHealthy();
});

it('comes through ten restarts of every kind under load', async () => {
  const { server, ledger, from, areHealthy } = await withWorkers();
  for (let round = 0; round < 10; round++) {
    await ledger.start(from.romancy, 100, { pauseMs: 50 });
    await server.shutDown((['fast', 'immediate', 'kill'] as const)[round % 3]!);
    await pause(round * 100);
    await server.startAgain();
    await from.is('healthy', 10_000);
  }
  await ledger.complete(30_000);
  await areHealthy();
});

it('starts without its notifier’s database for two minutes, and is healthy within the longest pause when that is there', async () => {
  const server = await startPostgres();
  afterwards(() => server.stop());
  const ledger = await openLedger(server.url);
  const proxy = await startTcpProxy(server.url);
  await proxy.admit('refuse');
  const app = await startApp({
    url: server.url,
    notifier: { connectionString: proxy.url, reconnectDelay: '5s', pingInterval: '15s', pingTimeout: '3s' },
  });
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    await ledger.start(app.romancy, 10, { pauseMs: 10 });
    await ledger.complete();
    await pause(5000);
  }
  expect(app.states).toEqual(['connecting']);
  await proxy.admit('forward');
  await app.is('healthy', 6000);
});

it('has no share in what a foreign listener that reads nothing does to the queue of all, for two minutes', async (test) => {
  const server = await smallQueueServer();
  if (server === undefined) return test.skip(tooOld);
  const { url } = server;
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  // Its socket is held: the server writes until the system takes no more, and then waits.
  const proxy = await startTcpProxy(url);
  const foreign = new pg.Client({ connectionString: proxy.url, application_name: 'foreign' });
  foreign.on('error', () => undefined);
  await foreign.connect();
  await foreign.query('LISTEN romancy_workflow_resumable');
  await foreign.query('BEGIN');
  await foreign.query('SELECT 1');
  const observer = await healthyNotifier({ connectionString: url });
  const app = await healthyApp({ url });
  let failed = 0;
  let noise = 0;
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    await ledger.start(app.romancy, 50, { pauseMs: 10 });
    await ledger.complete(20_000);
    observer.notifier.send(
      Array.from({ length: 50 }, (_, index) => ({ kind: 'outbox_pending', eventId: `${noise}-${index}-${'x'.repeat(200)}` })),
    );
    noise++;
    // A user's own commit with a note in it: fails only when the queue is full.
    await watching.client.query(`SELECT pg_notify('users', 'own')`).catch(() => failed++);
    await pause(200);
  }
  const { rows } = await watching.client.query<{ usage: number }>('SELECT pg_notification_queue_usage() AS usage');
  console.log({ usage: rows[0]!.usage, failed, ...observer.notifier.status() });
  expect(failed).toBe(0);
  await watching.client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'foreign'`);
  await eventually(() => observer.notifier.state === 'healthy' && (observer.notifier.status().queueUsage ?? 0) < 0.5, {
    timeout: 60_000,
  });
  await ledger.complete();
});
