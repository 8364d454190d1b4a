// Notes within the transactions that they are about: sent by the storage, also by a process that has died since, and never of what was undone.
import { ConfigurationError, defineWorkflow, Romancy, silentLogger, type AnyWorkflow } from '@romancy/core';
import { createMemoryStorage } from '@romancy/core/testing';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { createPgNotifier } from '../src/index.js';
import { watchingClient } from './watching-client.js';

const channels = ['workflow_resumable', 'timer_expired', 'channel_message', 'workflow_finished'].map((kind) => `romancy_${kind}`);
const waiting = defineWorkflow('waiting', async (ctx) => void (await ctx.waitEvent('go', { timeout: '1h' })));

async function startedApp(connectionString: string, workflows: readonly AnyWorkflow[] = [waiting]): Promise<Romancy> {
  const romancy = new Romancy({
    storage: createPostgresStorage({ connectionString, maxConnections: 3 }),
    notifier: createPgNotifier({ connectionString, delivery: 'transactional' }),
    workflows,
    logger: silentLogger,
  });
  afterwards(() => romancy.stop());
  await romancy.start();
  await eventually(() => romancy.status().notifier?.state === 'healthy');
  return romancy;
}

it('notes of a start, a park, an event, a cancellation and an end come from the sessions of the storage, each once', async () => {
  const { url } = await createDatabase();
  const watching = await watchingClient(url);
  await watching.listen(...channels);
  const romancy = await startedApp(url);
  const sessions = new Set(await watching.sessions());
  const parked = async (): Promise<void> => void (await eventually(() => romancy.status().running === 0));

  const first = await romancy.startWorkflow(waiting, undefined, { instanceId: 'first' });
  await parked();
  await romancy.sendEvent({ type: 'go', source: '/test', id: 'e1', instanceId: 'first' });
  await romancy.sendEvent({ type: 'go', source: '/test', id: 'e1', instanceId: 'first' });
  await first.result();
  const second = await romancy.startWorkflow(waiting, undefined, { instanceId: 'second' });
  await parked();
  await second.cancel('enough');
  await second.cancel('again');
  await second.result().catch(() => undefined);
  const seen = (): string[] =>
    watching.notes.map(({ channel, payload }) => {
      const { instance_id, target_instance_id } = JSON.parse(payload!) as Record<string, string>;
      return `${channel.slice('romancy_'.length)} ${instance_id ?? target_instance_id}`;
    });
  await eventually(() => seen().includes('workflow_finished second'));
  expect(seen()).toEqual([
    'timer_expired first',
    'channel_message first',
    'workflow_finished first',
    'timer_expired second',
    'workflow_resumable second',
    'workflow_finished second',
  ]);
  expect(sessions.size).toBe(2);
  expect(watching.notes.filter(({ processId }) => sessions.has(processId))).toEqual([]);
});

it('a start elsewhere is found at once by a process that serves it, though nobody sends after the commit', async () => {
  const { url } = await createDatabase();
  const quick = defineWorkflow('quick', () => Promise.resolve('done'));
  const from = await startedApp(url, []);
  await startedApp(url, [quick]);
  const began = performance.now();
  const run = await from.startWorkflow(quick);
  expect(await run.result({ timeout: '10s' })).toBe('done');
  expect(performance.now() - began).toBeLessThan(5000);
});

it('is refused beside a storage that cannot send notes, and a misspelt way as well', () => {
  const connectionString = 'postgres://localhost/none';
  expect(() => createPgNotifier({ connectionString, delivery: 'within' as never })).toThrow(/delivery.*'after-commit'/);
  const storage = { ...createMemoryStorage(), kind: 'postgres', open: () => Promise.resolve(), close: () => Promise.resolve() };
  const notifier = createPgNotifier({ connectionString, delivery: 'transactional' });
  expect(() => new Romancy({ storage, notifier })).toThrow(ConfigurationError);
});
