// How long a channel keeps its mode.
import type { Storage } from '@romancy/core/ports';
import { ManualClock } from '@romancy/core/testing';
import { temporaryFile } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { batch, complete, incoming, openStorage, register, start } from './local-storage.js';

const day = 86_400_000;
const nothing = {
  instances: { completed: null, failed: null, cancelled: null, recurred: null },
  ...{ sentEvents: null, seenEvents: null, queuedMessages: null, mostQueued: 100, limit: 2 },
};

async function open(): Promise<{ readonly storage: Storage; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const storage = await openStorage({ filename: await temporaryFile(), synchronous: 'normal' }, { clock });
  await register(storage, 'me', 10 * day);
  return { storage, clock };
}

it('for a day, and as long as somebody is subscribed or something queued', async () => {
  const { storage, clock } = await open();
  const { messages, runs } = storage;
  const subscribed = 'channel:subscribed';
  const queued = 'channel:queued';
  await runs.commit(
    batch('me', { starts: [start('one')], subscriptions: [{ instanceId: 'one', topic: subscribed, mode: 'direct' }] }),
  );
  await messages.fixMode({ topic: queued, mode: 'competing' });
  await messages.deliver(incoming('1', queued));
  await clock.advance(day - 1);
  expect(await messages.fixMode({ topic: subscribed, mode: 'broadcast' })).toBe('direct');
  await clock.advance(3 * day);
  expect(await messages.fixMode({ topic: subscribed, mode: 'broadcast' })).toBe('direct');
  expect(await messages.fixMode({ topic: queued, mode: 'broadcast' })).toBe('competing');

  // Asked for just now, also when nothing else keeps it any more.
  await runs.commit(batch('me', { settlements: [complete('one')] }));
  expect(await messages.fixMode({ topic: subscribed, mode: 'broadcast' })).toBe('direct');
  await clock.advance(day + 1);
  expect(await messages.fixMode({ topic: subscribed, mode: 'broadcast' })).toBe('broadcast');
});

it('also through a purge, for what is queued until somebody subscribes', async () => {
  const { storage, clock } = await open();
  const { messages, retention } = storage;
  await messages.fixMode({ topic: 'channel:queued', mode: 'competing' });
  await messages.deliver(incoming('1', 'channel:queued'));
  await clock.advance(2 * day);
  for (let round = 0; round < 2; round++) await retention.purge(nothing);
  expect(await messages.fixMode({ topic: 'channel:queued', mode: 'broadcast' })).toBe('competing');
});

it('and is removed afterwards, although others that are in use are older', async () => {
  const { storage, clock } = await open();
  const { messages, runs, retention } = storage;
  const used = ['channel:a', 'channel:b', 'channel:c'];
  const subscriptions = used.map((topic) => ({ instanceId: 'one', topic, mode: 'direct' as const }));
  await runs.commit(batch('me', { starts: [start('one')], subscriptions }));
  await clock.advance(1);
  await messages.fixMode({ topic: 'channel:unused', mode: 'direct' });
  await clock.advance(day + 1);
  // What is published now would be for nobody, while a mode is known, and is queued as soon as none is.
  for (let round = 0; round < 2; round++) await retention.purge(nothing);
  for (const topic of ['channel:unused', 'channel:a']) await messages.deliver(incoming(topic, topic));
  const removed = { ...nothing, queuedMessages: clock.now() + 1, limit: 10 };
  expect((await retention.purge(removed)).queuedMessages).toBe(1);
  expect(await messages.fixMode({ topic: 'channel:a', mode: 'broadcast' })).toBe('direct');
});
