// Long runs against one server: sessions ended at random, workers killed and frozen, an event loop blocked, a flood of forged notes.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectGarbage, createDatabase, eventually } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { healthyNotifier } from '../notifier-fixture.js';
import { smallQueueServer, tooOld } from '../small-queue.js';
import { watchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';
import { jamListener } from './jam-listener.js';
import { openLedger } from './ledger.js';
import { healthyApp } from './start-app.js';
import { blockEventLoop, killBeforeNotes } from './worker-faults.js';
import { startWorker } from './worker-process.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('loses and doubles nothing while sessions are ended a hundred times at random under load', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  const from = await healthyApp({ url, workflows: [] });
  const workers = await Promise.all([1, 2, 3].map(() => startWorker({ url, notifyUrl: url })));
  for (let round = 0; round < 100; round++) {
    await ledger.start(from.romancy, 20, { pauseMs: 20 });
    const pids = await watching.sessions();
    await watching.client.query('SELECT pg_terminate_backend($1)', [pids[Math.floor(Math.random() * pids.length)]]);
    await pause(Math.random() * 200);
  }
  await ledger.complete(30_000);
  for (const worker of workers) await eventually(async () => (await worker.status()).state === 'healthy');
  await from.is('healthy');
  await eventually(async () => (await watching.sessions('listening')).length === 4);
  expect(await watching.sessions('sending')).toHaveLength(4);
});

it('has one session of each kind, and no more memory, after a thousand reconnects', async () => {
  const { url } = await createDatabase();
  const watching = await watchingClient(url);
  const { is, notifier } = await healthyNotifier({ connectionString: url, ...fast });
  const round = async (): Promise<void> => {
    const before = notifier.status().reconnects;
    await watching.terminate();
    await eventually(() => notifier.status().reconnects >= before + 2, { interval: 2 });
    await is('healthy');
  };
  for (let time = 0; time < 50; time++) await round();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let time = 0; time < 450; time++) await round();
  collectGarbage();
  expect(notifier.status().reconnects).toBeGreaterThanOrEqual(1000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(3_000_000);
  expect(await watching.sessions('listening')).toHaveLength(1);
  expect(await watching.sessions('sending')).toHaveLength(1);
});

it('has the work of a worker that stands still for a minute done by others, loses its session before that fills the queue of all, and does nothing twice when it goes on', async (test) => {
  const server = await smallQueueServer();
  if (server === undefined) return test.skip(tooOld);
  const { url } = server;
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  const from = await healthyApp({ url, workflows: [] });
  const options = { url, notifyUrl: url, leaseDuration: 2000 };
  const before = await watching.sessions('listening');
  const frozen = await startWorker(options);
  const [pid] = (await watching.sessions('listening')).filter((each) => !before.includes(each));
  await Promise.all([startWorker(options), startWorker(options)]);
  await ledger.start(from.romancy, 200, { pauseMs: 100 });
  await eventually(async () => (await ledger.booked()) > 50, { interval: 1 });
  frozen.signal('SIGSTOP');
  const frozenAt = performance.now();
  // All that listen hear it, and know that it is nothing.
  await jamListener(watching.client, pid!, 'romancy_outbox_pending');
  const jammedAt = performance.now();
  await ledger.start(from.romancy, 100, { pauseMs: 20 });
  // Those that it was about to commit are free when the server has ended their transactions, after ten seconds.
  await ledger.complete(20_000);
  let heldForMs: number | undefined;
  while (performance.now() - frozenAt < 60_000) {
    await ledger.start(from.romancy, 20, { pauseMs: 20 });
    await pause(500);
    if (heldForMs === undefined && !(await watching.sessions('listening')).includes(pid!))
      heldForMs = performance.now() - jammedAt;
  }
  console.log({ heldForMs });
  expect(heldForMs).toBeDefined();
  const { rows } = await watching.client.query<{ usage: number }>('SELECT pg_notification_queue_usage() AS usage');
  expect(rows[0]!.usage).toBeLessThan(0.05);
  frozen.signal('SIGCONT');
  await ledger.start(from.romancy, 200, { pauseMs: 20 });
  await ledger.complete(20_000);
  await eventually(async () => (await frozen.status()).state === 'healthy', { timeout: 10_000 });
});

it('keeps its sessions while its event loop does nothing for ten seconds, and goes on at once', async () => {
  await blockEventLoop(10_000);
});

it('does its work, in flat memory, while somebody forges 10,000 notes a second for half a minute', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const from = await healthyApp({ url, workflows: [] });
  const worker = await startWorker({ url, notifyUrl: url, leaseDuration: 5000 });
  const forger = new pg.Client({ connectionString: url });
  await forger.connect();
  const kinds = [
    `md5(i::text)`,
    `'{"__proto__": {"instance_id": "polluted"}, "n": ' || i || '}'`,
    `repeat('[', 7900) || i`,
    `rpad('{"instance_id": "' || i, 7997, 'x') || '"}'`,
    `'{"instance_id": "forged-' || i || '", "workflow_name": "ledgered"}'`,
    `'{"instance_id": "forged-' || i || '", "workflow_name": "unknown"}'`,
  ];
  let forged = 0;
  const end = performance.now() + 30_000;
  const memory: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  for (let round = 0; performance.now() < end; round++) {
    const turn = performance.now();
    const kind = kinds[round % kinds.length]!;
    await forger.query(
      `SELECT count(pg_notify('romancy_workflow_resumable', ${kind})) FROM generate_series(${forged + 1}, ${forged + 1000}) AS i`,
    );
    forged += 1000;
    if (round % 10 === 0) await ledger.start(from.romancy, 5, { pauseMs: 5 });
    if (round % 20 === 0) memory.push((await worker.status()).memory);
    await pause(Math.max(0, 100 - (performance.now() - turn)));
  }
  delay.disable();
  await forger.end();
  await ledger.complete(10_000);
  const status = await worker.status();
  console.log({
    forged,
    received: status.received,
    ignored: status.ignored,
    state: status.state,
    ownDelayP99Ms: delay.percentile(99) / 1e6,
  });
  expect(forged).toBeGreaterThan(200_000);
  expect(status).toMatchObject({ state: 'healthy', reconnects: 0 });
  const half = memory.length / 2;
  const most = (part: readonly number[]): number => Math.max(...part);
  expect(most(memory.slice(half))).toBeLessThan(most(memory.slice(0, half)) + 50_000_000);
});

it('finishes all work with every note of a long run lost, while workers are killed between commit and note', async () => {
  await killBeforeNotes({ rounds: 20, runs: 50 });
});
