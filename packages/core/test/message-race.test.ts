// A message that comes between the look at the mail and the park is received, however often one tries.
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy } from '../src/index.js';
import { createMemoryStorage, recordingLogger, withFaults } from '../src/testing/index.js';

const rounds = 10_000;
/** Histories of a hundred messages each: what is raced for is the wait, not the length of a replay. */
const perInstance = 100;
// Polls come so rarely that only what was not overlooked can be in time.
const hour = '1h';

const modes = ['broadcast', 'competing', 'direct'] as const;

it.each(modes)(
  `a %s message at any moment around a wait is received, ${rounds} times in a row`,
  { timeout: 60_000 },
  async (mode) => {
    const workflow = defineWorkflow('racing', async (ctx, count: number) => {
      await ctx.subscribe('ticks', mode);
      await ctx.joinGroup('ready');
      let sum = 0;
      for (let index = 0; index < count; index++) sum += (await ctx.receive<number>('ticks')).data;
      return sum;
    });
    const storage = withFaults(createMemoryStorage());
    const app = new Romancy({
      storage,
      logger: recordingLogger(),
      workflows: [workflow],
      workflowPollInterval: hour,
      timerPollInterval: hour,
      channelTimeoutInterval: hour,
    });
    await app.start();
    for (let from = 0; from < rounds; from += perInstance) {
      const handle = await app.startWorkflow(workflow, perInstance);
      while (!(await app.groupMembers('ready')).includes(handle.instanceId)) await turn();
      for (let index = 0; index < perInstance; index++) {
        // From the middle of one turn of the run to after its park, evenly.
        for (let turns = (from + index * 7) % 13; turns > 0; turns--) {
          if (turns % 2 === 0) await Promise.resolve();
          else await turn();
        }
        if (mode === 'direct') await app.sendTo(handle.instanceId, 'ticks', 1);
        else await app.publish('ticks', 1);
      }
      expect(await handle.result({ timeout: '10s' })).toBe(perInstance);
    }
    // It was put away and taken up again all the time, and parks were refused because something came meanwhile.
    expect(storage.count('runs.claim')).toBeGreaterThan(rounds / 50);
    expect(storage.count('runs.readSignals')).toBeGreaterThan(rounds / 100);
    await app.stop();
  },
);

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
