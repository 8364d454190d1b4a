// What an app tells of by default, seen from psql: each thing that happens, on its channel of the contract, with its keys.
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { createPgNotifier } from '../src/index.js';
import { watchingClient } from './watching-client.js';

it('an app tells of a start, a timer, messages and an event for the outbox on the four channels, with exactly their keys', async () => {
  const { url } = await createDatabase();
  const watching = await watchingClient(url);
  const kinds = ['workflow_resumable', 'timer_expired', 'channel_message', 'outbox_pending'];
  await watching.listen(...kinds.map((kind) => `romancy_${kind}`));
  const waits = defineWorkflow('waits', async (ctx) => {
    await ctx.subscribe('orders');
    await ctx.sendEvent({ id: 'evt_123', type: 'order.begun', source: '/test' });
    await ctx.receive('orders');
    await ctx.sleep('1h');
  });
  const foreign = defineWorkflow('foreign', () => Promise.resolve());
  const romancy = new Romancy({
    storage: createPostgresStorage({ connectionString: url, maxConnections: 3 }),
    notifier: createPgNotifier({ connectionString: url }),
    workflows: [waits],
    logger: silentLogger,
  });
  afterwards(() => romancy.stop());
  await romancy.start();
  await eventually(() => romancy.status().notifier?.state === 'healthy');
  const told = (kind: string): object[] =>
    watching.notes.flatMap(({ channel, payload }) => (channel === `romancy_${kind}` ? [JSON.parse(payload!) as object] : []));

  // Nobody here serves it.
  await romancy.startWorkflow(foreign, undefined, { instanceId: 'wf_1' });
  await eventually(() => told('workflow_resumable').length > 0);
  expect(told('workflow_resumable')).toEqual([{ instance_id: 'wf_1', workflow_name: 'foreign' }]);

  await romancy.startWorkflow(waits, undefined, { instanceId: 'wf_2' });
  await eventually(() => told('outbox_pending').length > 0 && romancy.status().running === 0);
  expect(told('outbox_pending')).toEqual([{ event_id: 'evt_123' }]);

  await romancy.publish('orders', 'to all');
  await romancy.sendTo('wf_1', 'orders', 'to one');
  await eventually(() => told('channel_message').length >= 2 && told('timer_expired').length > 0);
  const text = expect.stringMatching(/./) as unknown;
  expect(told('channel_message')).toEqual([
    { channel_name: 'orders', message_id: text, target_instance_id: null },
    { channel_name: 'orders', message_id: text, target_instance_id: 'wf_1' },
  ]);
  const inAnHour = Date.now() + 3_600_000;
  const timers = told('timer_expired') as { readonly expires_at: string }[];
  expect(timers).toEqual([{ instance_id: 'wf_2', timer_id: text, expires_at: text }]);
  expect(Math.abs(Date.parse(timers[0]!.expires_at) - inAnHour)).toBeLessThan(60_000);
});
