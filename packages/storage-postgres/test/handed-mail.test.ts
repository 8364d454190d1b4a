// Mail that came with the answer to a commit leaves its instance with attention: that is no wake-up which got lost.
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createMemoryNotifierHub } from '@romancy/core/testing';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import { expect, it, vi } from 'vitest';

it('runs at work on messages out of a queue do not make the notifier look lossy', async () => {
  const { url } = await createDatabase();
  const count = 6;
  let atWork = 0;
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const consumer = defineWorkflow('consumer', async (ctx) => {
    await ctx.subscribe('jobs', 'competing');
    await ctx.receive('jobs');
    await ctx.run('work', async () => {
      atWork++;
      await released;
    });
  });
  // Queued before anybody hears notes.
  const earlier = new Romancy({ storage: createPostgresStorage({ connectionString: url }), workflows: [], logger: silentLogger });
  await earlier.start();
  for (let job = 0; job < count; job++) await earlier.publish('jobs', job);
  await earlier.stop();

  const storage = createPostgresStorage({ connectionString: url });
  const upkeep = vi.spyOn(storage.leases, 'upkeep');
  const commit = vi.spyOn(storage.runs, 'commit');
  const romancy = new Romancy({
    storage,
    notifier: createMemoryNotifierHub().createNotifier(),
    workflows: [consumer],
    logger: silentLogger,
    leaseDuration: '1500ms',
  });
  afterwards(() => {
    release();
    return romancy.stop();
  });
  await romancy.start();
  const runs = await Promise.all(Array.from({ length: count }, () => romancy.startWorkflow(consumer)));
  await eventually(() => atWork === count);
  const handed = commit.mock.settledResults.flatMap(({ type, value }) => (type === 'fulfilled' ? (value.handed ?? []) : []));
  expect(handed.length).toBeGreaterThan(0);
  // Three of them are judged by then, a second behind each.
  const before = upkeep.mock.calls.length;
  await eventually(() => upkeep.mock.calls.length >= before + 6, { timeout: 15_000 });
  expect(romancy.status().notifier).toMatchObject({ state: 'healthy', foundByPoll: 0 });
  release();
  await Promise.all(runs.map((run) => run.result()));
});
