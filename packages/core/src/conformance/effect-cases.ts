// Cases: what entries bring about takes place in the commit that writes them, and never again.
import { describe, expect, it } from 'vitest';
import { LeaseLostError, type Effect, type NewOutboxEvent } from '../ports/index.js';
import {
  mailOf,
  newMessage,
  published,
  startSubscribed,
  step,
  stepOf,
  takenMail,
  topic,
  type EffectFacts,
} from './message-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { complete, newEntry, park, TestWorker } from './test-worker.js';

export function newOutboxEvent(eventId: string, more: Partial<NewOutboxEvent> = {}): NewOutboxEvent {
  return { eventId, stream: 's', type: 'order.placed', source: '/tests', data: `{"id":"${eventId}"}`, ...more };
}

export function effectCases(bench: Bench): void {
  describe('effects', () => {
    it('take place with their entry, and not when the batch comes again', async () => {
      const { harness, worker } = await stage(bench);
      const batch = worker.batch(everything());
      expect(await worker.storage.runs.commit(batch)).toMatchObject({
        conflicts: [],
        refused: [],
        undelivered: [{ instanceId: 'unknown' }],
      });
      const after = await picture(harness);
      expect(after).toMatchObject({
        mail: { one: [1, 2], two: [1, 2], three: [3], seeker: ['job'] },
        members: ['one', 'three'],
        outbox: ['sent-1'],
        cancelled: ['two'],
      });
      for (const storage of [worker.storage, await harness.open()]) {
        const twin = new TestWorker(storage, worker.workerId, worker.workflowNames);
        expect(await twin.commit(structuredClone(batch))).toMatchObject({ conflicts: [], refused: [], undelivered: [] });
        expect(await picture(harness)).toEqual(after);
      }
    });

    it('take place once when the batch is on its way twice at once', async () => {
      const { harness, worker } = await stage(bench);
      const batch = worker.batch(everything());
      await Promise.all([worker.storage.runs.commit(batch), worker.storage.runs.commit(structuredClone(batch))]);
      expect(await picture(harness)).toMatchObject({
        mail: { one: [1, 2], two: [1, 2], three: [3], seeker: ['job'] },
        outbox: ['sent-1'],
      });
    });

    it('do not come again after what they brought about is over', async () => {
      const { harness, worker } = await stage(bench);
      const batch = worker.batch(everything());
      await worker.storage.runs.commit(batch);
      await step(worker, 'one', { type: 'leave', group: 'g' });
      await step(worker, 'seeker', { type: 'unseek', topic: 'channel:queue' });
      for (const id of ['one', 'two', 'three']) await worker.commit({ takenMail: await takenMail(harness, id) });
      const before = await picture(harness);
      await worker.storage.runs.commit(batch);
      expect(await picture(harness)).toEqual(before);
    });

    it('of an entry that is there already are left out, those of others beside it are not', async () => {
      const { harness, worker } = await stage(bench);
      await worker.commit({ entries: [newEntry('one', 500)] });
      const old = stepOf('one', [published('old'), { type: 'join', group: 'g' }, outgoing('old')], 500);
      const fresh = stepOf('one', [published('fresh'), outgoing('fresh')], 501);
      await worker.commit({ entries: [...old.entries, ...fresh.entries], effects: [...old.effects, ...fresh.effects] });
      expect(await picture(harness)).toMatchObject({ mail: { one: ['fresh'], two: ['fresh'] }, members: [], outbox: ['fresh'] });
    });

    it('and a subscription of the same entry that is there already is left out, since it may be over', async () => {
      const { harness, worker } = await stage(bench);
      // Subscribed by one entry, unsubscribed by the next.
      const over = stepOf('three', [{ type: 'unsubscribe', topic: 'event:over' }], 601);
      const batch = worker.batch({
        entries: [newEntry('three', 600), ...over.entries],
        effects: over.effects,
        subscriptions: [{ instanceId: 'three', topic: 'event:over', seq: 600 }],
      });
      for (let round = 0; round < 2; round++) {
        await worker.storage.runs.commit(structuredClone(batch));
        expect((await harness.deliver({ topic: 'event:over' })).receivers).toBe(0);
      }
    });

    it('without their entry in the batch are left out', async () => {
      const { harness, worker } = await stage(bench);
      const { entries, effects } = stepOf('one', [published(1), { type: 'join', group: 'g' }]);
      await worker.commit({ effects });
      await worker.commit({ entries });
      await worker.commit({ effects });
      expect(await picture(harness)).toMatchObject({ mail: { one: [], two: [] }, members: [] });
    });

    it('of a worker that is not alive do not take place', async () => {
      const { harness, worker } = await stage(bench);
      const before = await picture(harness);
      await worker.retire();
      await expect(worker.commit(everything())).rejects.toBeInstanceOf(LeaseLostError);
      expect(await picture(harness)).toEqual(before);
      expect(await worker.history('one')).toEqual([]);
    });

    it('leave nothing with an instance that has ended meanwhile', async () => {
      const { harness, worker } = await stage(bench);
      await worker.settle(complete('one'));
      await step(worker, 'one', { type: 'join', group: 'g' }, { type: 'seek', topic: 'channel:queue' });
      expect(await picture(harness)).toMatchObject({ members: [] });
      await worker.commit({ subscriptions: [{ instanceId: 'one', topic, mode: 'broadcast' }] });
      await step(worker, 'two', published(1));
      expect(await mailOf(harness, 'one')).toEqual([]);
    });

    it('take place in the order of the port, whatever the order in the list', async () => {
      const { harness, worker } = await stage(bench);
      const group = { type: 'group', group: 'g' } as const;
      // It is a member when the message comes, and none when all is over.
      await step(worker, 'one', { type: 'leave', group: 'g' }, published('group', { to: group }), { type: 'join', group: 'g' });
      expect(await picture(harness)).toMatchObject({ mail: { one: ['group'], two: [] }, members: [] });
      // It is subscribed when the message comes.
      await step(worker, 'two', { type: 'unsubscribe', topic }, published('last'));
      expect(await picture(harness)).toMatchObject({ mail: { one: ['group', 'last'], two: [] } });
    });

    it('send one message after the other as they stand in the list', async () => {
      const { harness, worker } = await stage(bench);
      const numbers = Array.from({ length: 12 }, (_, index) => index);
      await step(worker, 'three', ...numbers.map((n) => published(n)));
      expect(await mailOf(harness, 'one')).toEqual(numbers);
      const parts = numbers.map((n) => stepOf('three', [published(100 + n)]));
      await worker.commit({ entries: parts.flatMap(({ entries }) => entries), effects: parts.flatMap(({ effects }) => effects) });
      expect(await mailOf(harness, 'two')).toEqual([...numbers, ...numbers.map((n) => 100 + n)]);
    });

    it('cancel like a request from outside', async () => {
      const { harness, worker } = await stage(bench);
      await worker.settle(park('two'));
      await harness.cancel('three', 'first');
      const order = (instanceId: string): EffectFacts => ({ type: 'cancel', order: { instanceId, reason: 'from one' } });
      await worker.settle(complete('seeker'));
      await step(worker, 'one', ...['two', 'three', 'seeker', 'unknown'].map(order));
      expect(await harness.get('two')).toMatchObject({ cancelRequested: true, cancelReason: 'from one' });
      expect(await harness.get('three')).toMatchObject({ cancelRequested: true, cancelReason: 'first' });
      expect(await harness.get('seeker')).toMatchObject({ cancelRequested: false, status: 'completed' });
      expect(await worker.claimOne('two')).toMatchObject({ cancel: { reason: 'from one' } });
    });
  });
}

function outgoing(eventId: string): EffectFacts {
  return { type: 'event', event: newOutboxEvent(eventId) };
}

/** One of everything. */
function everything(): { readonly entries: ReturnType<typeof newEntry>[]; readonly effects: Effect[] } {
  const first = stepOf('one', [
    published(1),
    { type: 'join', group: 'g' },
    outgoing('sent-1'),
    { type: 'cancel', order: { instanceId: 'two', reason: null } },
    published('lost', { to: { type: 'instance', instanceId: 'unknown' } }),
  ]);
  const second = stepOf('three', [
    { type: 'message', message: newMessage(2) },
    { type: 'join', group: 'g' },
    published(3, { to: { type: 'instance', instanceId: 'three' } }),
    published('job', { topic: 'channel:queue' }),
    published('left', { topic: 'channel:queue' }),
  ]);
  const third = stepOf('seeker', [{ type: 'seek', topic: 'channel:queue' }]);
  const parts = [first, second, third];
  return { entries: parts.flatMap(({ entries }) => [...entries]), effects: parts.flatMap(({ effects }) => [...effects]) };
}

/** `one` and `two` are subscribed to the topic, `three` to nothing, `seeker` to a queue. */
async function stage(bench: Bench): Promise<{ readonly harness: StorageHarness; readonly worker: TestWorker }> {
  const harness = await bench.harness();
  const worker = await harness.worker();
  await startSubscribed(worker, ['one', 'two'], { mode: 'broadcast' });
  await worker.start('three');
  await startSubscribed(worker, ['seeker'], { topic: 'channel:queue', mode: 'competing' });
  return { harness, worker };
}

/** All that effects of these cases could have brought about. */
async function picture(harness: StorageHarness): Promise<unknown> {
  const { messages, outbox, instances } = await harness.storage();
  const ids = ['one', 'two', 'three'];
  const mail = await Promise.all(ids.map(async (id) => [id, await mailOf(harness, id)] as const));
  const all = { status: undefined, eventIds: undefined, type: undefined, before: undefined };
  const records = await Promise.all(ids.map((id) => instances.get(id)));
  return {
    mail: { ...Object.fromEntries(mail), seeker: await mailOf(harness, 'seeker', 'channel:queue') },
    members: await messages.members('g'),
    outbox: (await outbox.list({ ...all, limit: 100, after: undefined })).map(({ eventId }) => eventId),
    cancelled: records.filter((record) => record?.cancelRequested === true).map((record) => record?.instanceId),
  };
}
