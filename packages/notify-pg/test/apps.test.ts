// Two apps on one database: what one starts, the other finds at once, though it polls once an hour.
import { defineWorkflow, Romancy, type RomancyOptions } from '@romancy/core';
import { recordingLogger } from '@romancy/core/testing';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { createPgNotifier } from '../src/index.js';
import { healthyNotifier } from './notifier-fixture.js';
import { watchingClient } from './watching-client.js';

const work = defineWorkflow('work', async (_ctx, input: number) => input + 1);

async function app(connectionString: string, more: Partial<RomancyOptions>): Promise<Romancy> {
  const romancy = new Romancy({
    storage: createPostgresStorage({ connectionString }),
    notifier: createPgNotifier({ connectionString }),
    notifyFallbackInterval: '1h',
    logger: recordingLogger(),
    ...more,
  });
  await romancy.start();
  afterwards(() => romancy.stop());
  await eventually(() => romancy.status().notifier?.state === 'healthy');
  return romancy;
}

describe('two apps with a notifier', () => {
  it('work at once on what the other one starts, and hear of its end at once', { retry: 2 }, async () => {
    const { url } = await createDatabase();
    const slow = { workflowPollInterval: '1h', timerPollInterval: '1h' } as const;
    const asking = await app(url, { ...slow, workflows: [] });
    await app(url, { ...slow, workflows: [work] });
    const took: number[] = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      const run = await asking.startWorkflow(work, i);
      expect(await run.result({ timeout: '10s' })).toBe(i + 1);
      took.push(performance.now() - began);
    }
    took.sort((a, b) => a - b);
    expect(took[10]).toBeLessThan(100);
  });

  it('find each other again after both sessions of both were ended', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const asking = await app(url, { workflows: [] });
    const serving = await app(url, { workflows: [work] });
    await admin.terminate();
    const run = await asking.startWorkflow(work, 1);
    expect(await run.result({ timeout: '10s' })).toBe(2);
    await eventually(() => [asking, serving].every((one) => one.status().notifier?.state === 'healthy'));
  });

  it('make one claim each of 1,000 equal wake-ups, which are one note', async () => {
    const { url } = await createDatabase();
    const hour = { workflowPollInterval: '1h', timerPollInterval: '1h', leaseDuration: '1h' } as const;
    const serving = [await app(url, { ...hour, workflows: [work] }), await app(url, { ...hour, workflows: [work] })];
    const from = await healthyNotifier({ connectionString: url });
    const seen = (): number[][] => serving.map((one) => [one.status().claims, one.status().notifier!.received]);
    // What each has asked for at its start is answered by then.
    const marked = (eventId: string): Promise<unknown> => {
      const before = seen();
      from.notifier.send([{ kind: 'outbox_pending', eventId }]);
      return eventually(() => seen().every(([, received], index) => received! > before[index]![1]!), { interval: 1 });
    };
    await marked('before');
    const before = seen();
    const begunAt = performance.now();
    for (let i = 0; i < 1000; i++) from.notifier.send([{ kind: 'workflow_resumable', instanceId: 'i', workflowName: 'work' }]);
    expect(performance.now() - begunAt).toBeLessThan(50);
    await eventually(() => seen().every(([claims], index) => claims! > before[index]![0]!));
    await marked('after');
    expect(seen()).toEqual(before.map(([claims, received]) => [claims! + 1, received! + 2]));
  });
});
