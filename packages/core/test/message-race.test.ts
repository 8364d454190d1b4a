// What comes between the look at the mail and the park is received, an event as well as a message, however often one tries.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy, type WorkflowContext } from '../src/index.js';
import { createMemoryStorage, recordingLogger, withFaults } from '../src/testing/index.js';

const rounds = 10_000;
/** Histories of a hundred messages each: what is raced for is the wait, not the length of a replay. */
const perInstance = 100;
// Polls come so rarely that only what was not overlooked can be in time.
const hour = '1h';

interface Way {
  readonly what: string;
  /** How the workflow gets ready to receive. */
  prepare(ctx: WorkflowContext): Promise<void>;
  /** The number that was sent. */
  receive(ctx: WorkflowContext): Promise<number>;
  send(app: Romancy, to: { readonly instanceId: string; readonly number: number }): Promise<unknown>;
  /** At least so often of all rounds it was put away and claimed again: an event has no subscription that keeps it for a run under way. */
  readonly claims: number;
}

function message(mode: 'broadcast' | 'competing' | 'direct', send: Way['send']): Way {
  return {
    what: `a ${mode} message`,
    prepare: (ctx) => ctx.subscribe('ticks', mode),
    receive: async (ctx) => (await ctx.receive<number>('ticks')).data,
    send,
    claims: rounds / 50,
  };
}

const ways: readonly Way[] = [
  message('broadcast', (app) => app.publish('ticks', 1)),
  message('competing', (app) => app.publish('ticks', 1)),
  message('direct', (app, { instanceId }) => app.sendTo(instanceId, 'ticks', 1)),
  {
    what: 'an event',
    prepare: async () => undefined,
    receive: async (ctx) => (await ctx.waitEvent<number>('tick')).data,
    send: (app, { instanceId, number }) =>
      app.sendEvent({ id: `${instanceId}/${number}`, type: 'tick', source: 'tests', data: 1, instanceId }),
    claims: rounds / 10,
  },
];

it.each(ways)(`$what at any moment around a wait is received, ${rounds} times in a row`, { timeout: 60_000 }, async (way) => {
  const workflow = defineWorkflow('racing', async (ctx, count: number) => {
    await way.prepare(ctx);
    await ctx.joinGroup('ready');
    let sum = 0;
    for (let index = 0; index < count; index++) sum += await way.receive(ctx);
    return sum;
  });
  const storage = withFaults(createMemoryStorage());
  let refused = 0;
  const commit = storage.runs.commit.bind(storage.runs);
  storage.runs.commit = async (batch) => {
    const answer = await commit(batch);
    refused += answer.refused.length;
    return answer;
  };
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
    const { instanceId } = handle;
    await eventually(async () => (await app.groupMembers('ready')).includes(instanceId), { interval: 'turn' });
    for (let number = 0; number < perInstance; number++) {
      // From the middle of one turn of the run to after its park, evenly.
      for (let turns = (from + number * 7) % 13; turns > 0; turns--) {
        if (turns % 2 === 0) await Promise.resolve();
        else await turn();
      }
      await way.send(app, { instanceId, number });
    }
    expect(await handle.result({ timeout: '10s' })).toBe(perInstance);
  }
  // It was put away and taken up again all the time, and parks were refused because something came meanwhile.
  expect(storage.count('runs.claim')).toBeGreaterThan(way.claims);
  expect(refused).toBeGreaterThan(rounds / 100);
  await app.stop();
});

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
