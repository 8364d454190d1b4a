// What comes by name for an instance while this process tries to start another one of its id is kept for a run that does not come, and is found all the same.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { gate } from '../src/conformance/engine-gate.js';
import { defineWorkflow, type Romancy, type WorkflowContext } from '../src/index.js';
import type { ProgressBatch } from '../src/ports/index.js';
import { settleTurns } from '../src/testing/index.js';
import { openMemoryApp } from './open-memory-app.js';

const hour = '1h';

const workflow = defineWorkflow('waiting', async (ctx: WorkflowContext) => {
  await ctx.subscribe('news');
  return (await ctx.receive('news')).data;
});

it.each<[string, (romancy: Romancy) => Promise<unknown>]>([
  ['a channel', (romancy) => romancy.publish('news', 'for the one that is there')],
  ['its name', (romancy) => romancy.sendTo('a', 'news', 'for the one that is there')],
])('an instance that waits goes on with what comes by %s while it is started a second time', async (_way, send) => {
  const [held, conflict] = [gate(), gate()];
  let holdsStart = false;
  const { romancy, database } = await openMemoryApp({
    workflows: [workflow],
    // Nobody looks by himself.
    ...{ workflowPollInterval: hour, timerPollInterval: hour, channelTimeoutInterval: hour, leaseDuration: '10h' },
    plan: {
      async before({ name, argument }) {
        if (!holdsStart || name !== 'runs.commit' || (argument as ProgressBatch).starts.length === 0) return;
        holdsStart = false;
        held.open();
        await conflict.opened;
      },
    },
  });
  const handle = await romancy.startWorkflow(workflow, undefined, { instanceId: 'a' });
  const isAway = (): boolean => database.instances.get('a')!.status.startsWith('waiting') && romancy.status().running === 0;
  await eventually(isAway, { interval: 'turn' });

  holdsStart = true;
  const again = romancy.startWorkflow(workflow, undefined, { instanceId: 'a' }).catch((error: unknown) => error);
  await held.opened;
  await send(romancy);
  await settleTurns(20);
  conflict.open();
  expect(await again).toMatchObject({ code: 'INSTANCE_CONFLICT' });
  expect(await handle.result({ timeout: '5s' })).toBe('for the one that is there');
});
