// Runs that are given messages out of a queue with the answers to their commits: nothing is read, and nothing is overlooked.
import { afterwards } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy } from '../src/index.js';
import type { ProgressResult } from '../src/ports/index.js';
import { createMemoryStorage, recordingLogger, withFaults } from '../src/testing/index.js';

const jobs = 20;

const consumer = defineWorkflow('consumer', async (ctx) => {
  await ctx.subscribe('jobs', 'competing');
  await ctx.sendEvent({ type: 'subscribed', source: 'tests' });
  const received: unknown[] = [];
  while (received.length < jobs) received.push((await ctx.receive('jobs')).data);
  return received;
});

async function stage() {
  const storage = withFaults(createMemoryStorage());
  const answers: ProgressResult[] = [];
  const commit = storage.runs.commit.bind(storage.runs);
  storage.runs.commit = async (batch) => {
    const answer = await commit(batch);
    answers.push(answer);
    return answer;
  };
  const logger = recordingLogger();
  const hour = '1h';
  const romancy = new Romancy({
    storage,
    logger,
    workflows: [consumer],
    ...{ workflowPollInterval: hour, timerPollInterval: hour, channelTimeoutInterval: hour, leaseDuration: '10h' },
  });
  await romancy.start();
  afterwards(() => romancy.stop({ timeout: 200 }));
  return { storage, romancy, logger, handed: () => answers.flatMap(({ handed = [] }) => handed) };
}

it('what is queued comes one by one, in its order, without a call that reads', async () => {
  const { storage, romancy, logger, handed } = await stage();
  for (let job = 0; job < jobs; job++) await romancy.publish('jobs', job);
  const handle = await romancy.startWorkflow(consumer);
  expect(await handle.result({ timeout: '10s' })).toEqual(Array.from({ length: jobs }, (_, job) => job));
  expect(handed()).toHaveLength(jobs);
  expect(storage.count('runs.readSignals')).toBe(0);
  expect(storage.count('runs.claim')).toBeLessThanOrEqual(2);
  expect(logger.at('error')).toEqual([]);
});

it('a cancellation that comes beside it is not overlooked', async () => {
  const { storage, romancy, handed } = await stage();
  for (let job = 0; job < jobs / 2; job++) await romancy.publish('jobs', job);
  let isAsked = false;
  storage.plan = {
    before: async ({ name }) => {
      if (name !== 'runs.commit' || handed().length < 3 || isAsked) return;
      isAsked = true;
      await storage.instances.requestCancel({ instanceId: 'consumer-1', reason: 'enough' });
    },
  };
  const handle = await romancy.startWorkflow(consumer, undefined, { instanceId: 'consumer-1' });
  await expect(handle.result({ timeout: '10s' })).rejects.toMatchObject({ code: 'WORKFLOW_CANCELLED', reason: 'enough' });
  expect(storage.count('runs.readSignals')).toBeGreaterThan(0);
});

it('an answer that is lost loses no message, and brings none twice', async () => {
  const { storage, romancy, handed } = await stage();
  let commits = 0;
  storage.plan = { fault: ({ name }) => (name === 'runs.commit' && ++commits % 3 === 0 ? { fail: 'after' } : undefined) };
  for (let job = 0; job < jobs; job++) await romancy.publish('jobs', job);
  const handle = await romancy.startWorkflow(consumer);
  expect(await handle.result({ timeout: '15s' })).toEqual(Array.from({ length: jobs }, (_, job) => job));
  expect(handed().length).toBeGreaterThan(0);
});
