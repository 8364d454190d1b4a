// What an app says of its notifier: all of it, and each figure after something that moves it.
import { defineWorkflow, Romancy, silentLogger, type RomancyOptions } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { createPgNotifier } from '../src/index.js';
import { watchingClient } from './watching-client.js';

const work = defineWorkflow('work', (_ctx, input: number) => Promise.resolve(input));

async function app(connectionString: string, options: Partial<RomancyOptions>): Promise<Romancy> {
  const romancy = new Romancy({
    storage: createPostgresStorage({ connectionString, maxConnections: 3 }),
    notifier: createPgNotifier({ connectionString }),
    notifyFallbackInterval: '1h',
    logger: silentLogger,
    ...options,
  });
  afterwards(() => romancy.stop());
  await romancy.start();
  await eventually(() => romancy.status().notifier?.state === 'healthy');
  return romancy;
}

it('tells state and since when, age of the proof, server, queue, pace, and what was sent, heard, lost, found and how fast', async () => {
  const { url } = await createDatabase();
  const watching = await watchingClient(url);
  const begunAt = Date.now();
  const asking = await app(url, { workflows: [] });
  const serving = await app(url, { workflows: [work] });
  const of = (romancy: Romancy): NonNullable<ReturnType<Romancy['status']>['notifier']> => romancy.status().notifier!;
  expect(of(serving)).toMatchObject({ state: 'healthy', pollIntervalMs: 3_600_000, wakeupToClaimMs: { p50: null, p99: null } });
  expect(of(serving).since).toBeGreaterThanOrEqual(begunAt - 1000);
  expect(of(serving).since).toBeLessThanOrEqual(Date.now() + 1000);
  const { rows } = await watching.client.query<{ readonly version: string }>(
    `SELECT current_setting('server_version') AS version`,
  );
  expect(of(serving).serverVersion).toBe(rows[0]!.version);
  // One of the two watches the queue for both.
  const usages = [asking, serving].map((each) => of(each).queueUsage);
  expect(usages.filter((usage) => usage === null)).toHaveLength(1);
  expect(Math.max(...usages.map(Number))).toBeLessThan(0.5);

  const before = [of(asking), of(serving)] as const;
  const run = await asking.startWorkflow(work, 1);
  expect(await run.result({ timeout: '10s' })).toBe(1);
  await eventually(() => of(serving).wakeupToClaimMs.p50 !== null);
  const { p50, p99 } = of(serving).wakeupToClaimMs;
  expect([p50! > 0, p99! >= p50!, p99! < 5000]).toEqual([true, true, true]);
  expect(of(asking).sent).toBeGreaterThan(before[0].sent);
  expect(of(serving).received).toBeGreaterThan(before[1].received);
  expect(of(serving).proofAgeMs).toBeLessThan(10_000);

  // A note by hand for what is not there, one that says nothing, and a loss.
  const { emptyClaims, ignored, reconnects } = of(serving);
  await watching.notify('romancy_workflow_resumable', { instance_id: 'nobody', workflow_name: 'work' });
  await watching.notify('romancy_workflow_resumable', 'nonsense');
  await eventually(() => of(serving).emptyClaims === emptyClaims + 1 && of(serving).ignored === ignored + 1);
  await watching.terminate('listening');
  await eventually(() => of(serving).reconnects === reconnects + 1 && of(serving).state === 'healthy');

  expect(Object.keys(of(serving)).sort()).toEqual([
    'coalesced',
    'dropped',
    'emptyClaims',
    'foundByPoll',
    'ignored',
    'pollIntervalMs',
    'proofAgeMs',
    'queueUsage',
    'received',
    'reconnects',
    'sent',
    'serverVersion',
    'since',
    'state',
    'wakeupToClaimMs',
  ]);
  const { coalesced, dropped, foundByPoll } = of(serving);
  expect([coalesced, dropped, foundByPoll].every(Number.isInteger)).toBe(true);
});
