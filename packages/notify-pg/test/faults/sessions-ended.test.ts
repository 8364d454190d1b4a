// Sessions that an administrator ends: heard again at once, with nothing lost and nothing left over.
import { collectGarbage, createDatabase, eventually } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { healthyNotifier } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';
import { openLedger } from './ledger.js';
import { hardlyPolls, healthyApp } from './start-app.js';
import { startWorker } from './worker-process.js';

it('lets the first job after the end of all its sessions begin within 300 ms', { retry: 2 }, async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  const from = await healthyApp({ url, workflows: [], ...hardlyPolls });
  const to = await healthyApp({ url, ...hardlyPolls });
  const took: number[] = [];
  for (let round = 0; round < 7; round++) {
    await Promise.all([from.is('healthy'), to.is('healthy')]);
    // Sessions that come and go are opened at most ten times a second: what is measured is the end of one that had stood.
    await eventually(async () => (await watching.youngestMs()) > 150);
    await watching.terminate();
    const endedAt = performance.now();
    await ledger.start(from.romancy, 1);
    await eventually(async () => (await ledger.booked()) > 2 * round, { interval: 2 });
    took.push(performance.now() - endedAt);
    await ledger.complete();
  }
  expect(took.sort((a, b) => a - b)[3]).toBeLessThan(300);
});

it('loses and doubles nothing while sessions end at random under load, and leaves one of each kind', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  const from = await healthyApp({ url, workflows: [] });
  const workers = await Promise.all([startWorker({ url, notifyUrl: url }), startWorker({ url, notifyUrl: url })]);
  for (let round = 0; round < 20; round++) {
    await ledger.start(from.romancy, 10, { pauseMs: 20 });
    await watching.terminate((['listening', 'sending', undefined] as const)[round % 3]);
  }
  await ledger.complete();
  await Promise.all([
    from.is('healthy'),
    ...workers.map(async (worker) => eventually(async () => (await worker.status()).state === 'healthy')),
  ]);
  expect(await watching.sessions('listening')).toHaveLength(3);
  expect(await watching.sessions('sending')).toHaveLength(3);
});

it('keeps nothing of a session that was lost', async () => {
  const { url } = await createDatabase();
  const watching = await watchingClient(url);
  const clients: WeakRef<pg.Client>[] = [];
  const connect = async ({ role }: { readonly role: string }): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, application_name: `weak:${role}` });
    await client.connect();
    clients.push(new WeakRef(client));
    return client;
  };
  const { notifier, is } = await healthyNotifier({ connect, ...fast });
  for (let round = 1; round <= 3; round++) {
    await watching.terminate();
    await eventually(() => notifier.status().reconnects === 2 * round);
    await is('healthy');
  }
  await eventually(() => {
    collectGarbage();
    return clients.filter((client) => client.deref() !== undefined).length <= 2;
  });
});
