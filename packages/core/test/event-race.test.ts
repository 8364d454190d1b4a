// An event that comes between the look at the mail and the park is received, however often one tries.
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy } from '../src/index.js';
import { createMemoryStorage, recordingLogger, withFaults } from '../src/testing/index.js';

const rounds = 10_000;

it(`an event at any moment around a wait is received, ${rounds} times in a row`, { timeout: 60_000 }, async () => {
  const workflow = defineWorkflow('racing', async (ctx, count: number) => {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += (await ctx.waitEvent<number>('tick')).data;
    return sum;
  });
  const storage = withFaults(createMemoryStorage());
  // Polls come so rarely that only what was not overlooked can be in time.
  const hour = '1h';
  const app = new Romancy({
    storage,
    logger: recordingLogger(),
    workflows: [workflow],
    workflowPollInterval: hour,
    timerPollInterval: hour,
    channelTimeoutInterval: hour,
  });
  await app.start();
  // Histories of a hundred events each: what is raced for is the wait, not the length of a replay.
  const perInstance = 100;
  for (let from = 0; from < rounds; from += perInstance) {
    const { instanceId, ...handle } = await start(app, perInstance);
    for (let index = 0; index < perInstance; index++) {
      // From the middle of one turn of the run to after its park, evenly.
      const turns = (from + index * 7) % 13;
      for (let turn = 0; turn < turns; turn++) {
        if (turn % 2 === 0) await Promise.resolve();
        else await new Promise((resolve) => setImmediate(resolve));
      }
      await app.sendEvent({ id: `${from}/${index}`, type: 'tick', source: 'tests', data: 1, instanceId });
    }
    expect(await handle.result({ timeout: '10s' })).toBe(perInstance);
  }
  // It was put away and taken up again all the time, and parks were refused because something came meanwhile.
  expect(storage.count('runs.claim')).toBeGreaterThan(rounds / 10);
  expect(storage.count('runs.readSignals')).toBeGreaterThan(rounds / 100);
  await app.stop();

  async function start(on: Romancy, count: number) {
    const handle = await on.startWorkflow(workflow, count);
    return { instanceId: handle.instanceId, result: (options: { timeout: '10s' }) => handle.result(options) };
  }
});
