// What it costs to send to thousands, or to one among thousands.
import type { NewSubscription, Storage } from '@romancy/core/ports';
import { temporaryFile } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { batch, claimAll, incoming, openStorage, register, start } from './local-storage.js';

const count = 10_000;

/** That many instances that are put away and wait for an event. */
async function openWithWaiting(subscribe: (index: number) => Omit<NewSubscription, 'instanceId'>): Promise<Storage> {
  const storage = await openStorage({ filename: await temporaryFile(), synchronous: 'normal' });
  await register(storage, 'me');
  const ids = Array.from({ length: count }, (_, index) => `instance-${index}`);
  await storage.runs.commit(
    batch('me', {
      starts: ids.map((id) => start(id)),
      subscriptions: ids.map((instanceId, index) => ({ instanceId, ...subscribe(index) })),
      settlements: ids.map((instanceId) => ({ type: 'park', instanceId, claim: 1, status: 'waiting_for_event', wakeAt: null })),
    }),
  );
  return storage;
}

/** What the processor does for it, in milliseconds, whatever else the machine does meanwhile. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The least of three times, in milliseconds: memory may be freed in one of them. */
async function least(work: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 3; round++) times.push(await cpuOf(() => work(round)));
  return Math.min(...times);
}

it('one event for ten thousand keeps the process for a fraction of a second', { timeout: 60_000 }, async () => {
  const storage = await openWithWaiting(() => ({ topic: 'event:news' }));
  const ms = await least(async (round) => {
    const { receivers } = await storage.messages.deliver(
      incoming(`news ${round}`, 'event:news', { data: { text: 'x'.repeat(200) } }),
    );
    expect(receivers).toBe(count);
  });
  expect(ms).toBeLessThan(300);
  const { claimed } = await storage.runs.claim(claimAll('me'));
  expect(claimed).toHaveLength(100);
  expect(claimed[0]?.mail).toHaveLength(3);
});

it(
  'an event for one of ten thousand, each of which waits for its own, costs what it costs for one',
  { timeout: 60_000 },
  async () => {
    const storage = await openWithWaiting((index) => ({
      topic: 'event:paid',
      filter: { path: index % 2 === 0 ? ['order'] : ['items', 0, 'odd "name"'], equals: index },
    }));
    const ms = await least(async (round) => {
      const { receivers } = await storage.messages.deliver(incoming(`even ${round}`, 'event:paid', { data: { order: 10 } }));
      expect(receivers).toBe(1);
    });
    expect(ms).toBeLessThan(20);
    await storage.messages.deliver(incoming('odd', 'event:paid', { data: { order: '10', items: [{ 'odd "name"': 11 }] } }));
    const { claimed } = await storage.runs.claim(claimAll('me'));
    expect(claimed.map(({ instanceId, mail }) => [instanceId, mail.length])).toEqual([
      ['instance-10', 3],
      ['instance-11', 1],
    ]);
  },
);

it('ten thousand who wait for a message of a queue get one each, each for what one costs', { timeout: 60_000 }, async () => {
  const topic = 'channel:jobs';
  const storage = await openStorage({ filename: await temporaryFile(), synchronous: 'normal' });
  await register(storage, 'me');
  await storage.messages.fixMode({ topic, mode: 'competing' });
  const ids = Array.from({ length: count }, (_, index) => `instance-${index}`);
  const entries = ids.map((instanceId) => ({
    ...{ instanceId, seq: 1, position: 0, callId: 'receive:1', kind: 'receive_set' as const, data: null, dueAt: null },
  }));
  const all = batch('me', {
    starts: ids.map((id) => start(id)),
    entries,
    subscriptions: ids.map((instanceId) => ({ instanceId, topic, mode: 'competing' })),
    effects: ids.map((instanceId) => ({ type: 'seek', instanceId, seq: 1, topic })),
  });
  // Were each of them to look at all who wait already, it would be fifty million looks.
  expect(await cpuOf(() => storage.runs.commit(all))).toBeLessThan(2000);
  const ms = await least(async (round) => {
    expect((await storage.messages.deliver(incoming(`job ${round}`, topic))).receivers).toBe(1);
  });
  expect(ms).toBeLessThan(20);
  const [first] = await storage.runs.readSignals({ workerId: 'me', instanceIds: ['instance-0'], mailLimit: 10 });
  expect(first?.mail).toHaveLength(1);
});
