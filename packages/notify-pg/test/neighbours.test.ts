// Two installs in one database, each with a schema and a prefix of its own: neither sees nor wakes the other.
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { createPgNotifier } from '../src/index.js';
import { watchingClient } from './watching-client.js';

const names = ['left', 'right'] as const;

it('neither hears a note of the other, nor claims for one, nor runs what belongs to it', async () => {
  const { url: connectionString } = await createDatabase();
  const ran: Record<string, string[]> = { left: [], right: [] };
  const start = async (name: string): Promise<Romancy> => {
    // Of the same workflow name: only where they live keeps them apart.
    const order = defineWorkflow('order', async (ctx) => {
      await ctx.waitEvent('go', { timeout: '1h' });
      ran[name]!.push(ctx.instanceId);
    });
    const romancy = new Romancy({
      storage: createPostgresStorage({ connectionString, schema: name, maxConnections: 3 }),
      notifier: createPgNotifier({ connectionString, channelPrefix: name }),
      workflows: [order],
      logger: silentLogger,
    });
    afterwards(() => romancy.stop());
    await romancy.start();
    await eventually(() => romancy.status().notifier?.state === 'healthy');
    for (let index = 0; index < 10; index++) await romancy.startWorkflow(order, undefined, { instanceId: `${name}-${index}` });
    await eventually(() => romancy.status().running === 0);
    return romancy;
  };
  const [left, right] = [await start('left'), await start('right')];
  const watching = await watchingClient(connectionString);
  await watching.listen('left_channel_message', 'right_channel_message');
  const before = right.status();
  await left.sendEvent({ type: 'go', source: '/test' });
  await eventually(() => ran['left']!.length === 10);
  // The note of the event has come to whoever listens, in the order of commits.
  await eventually(() => watching.notes.some(({ channel }) => channel === 'left_channel_message'));
  expect(ran['right']).toEqual([]);
  const { claims, notifier } = right.status();
  expect({ claims, received: notifier!.received }).toEqual({ claims: before.claims, received: before.notifier!.received });
  for (const name of names) {
    const { instances } = await (name === 'left' ? left : right).list();
    expect(instances.every(({ instanceId }) => instanceId.startsWith(name))).toBe(true);
  }
});
