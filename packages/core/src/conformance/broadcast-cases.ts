// Cases: what is published reaches all who were subscribed; what is sent to one or to a group reaches those alone.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { mailOf, newMessage, publish, published, startSubscribed, step, stepOf, topic } from './message-stage.js';
import { complete, newEntry, newInstance, ofClaim, park, type TestWorker } from './test-worker.js';

const rounds = 40;

export function broadcastCases(bench: Bench): void {
  describe('messages of a broadcast channel', () => {
    it('reach each subscriber once, in the order of their commits, from his subscription on', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start('sender');
      await startSubscribed(worker, ['a'], { mode: 'broadcast' });
      await publish(harness, 1);
      await step(worker, 'sender', published(2), published('elsewhere', { topic: 'channel:other' }));
      await startSubscribed(other, ['b'], { mode: 'broadcast' });
      await other.commit({ subscriptions: [{ instanceId: 'b', topic, mode: 'broadcast' }] });
      expect(await publish(harness, 3)).toMatchObject({ outcome: 'delivered', receivers: 2 });
      await step(worker, 'sender', published(4));
      expect(await mailOf(harness, 'a')).toEqual([1, 2, 3, 4]);
      expect(await mailOf(harness, 'b')).toEqual([3, 4]);
      expect(await mailOf(harness, 'sender')).toEqual([]);
      expect((await other.signals('b'))[0]?.mail).toMatchObject([
        { topic, data: '3', isQueued: false },
        { topic, data: '4', isQueued: false },
      ]);
    });

    it('wake all who would have waited for longer, however many they are', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 30 }, (_, index) => `i${10 + index}`);
      await startSubscribed(worker, ids, { mode: 'broadcast' });
      const later = (await worker.now()) + 3_600_000;
      // Some for a time, some for ever, some not yet put away.
      await worker.commit({ settlements: ids.slice(0, 20).map((id, index) => park(id, index % 2 === 0 ? later : null)) });
      expect((await publish(harness, 1)).receivers).toBe(30);
      expect([...(await (await harness.worker()).claimIds({ limit: 100 }))].sort()).toEqual(ids.slice(0, 20));
      expect(await worker.commit({ settlements: ids.slice(20).map((id) => park(id, later)) })).toMatchObject({
        refused: ids.slice(20),
      });
    });

    it('without a subscriber are nowhere', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.storage.messages.fixMode({ topic, mode: 'broadcast' });
      expect(await publish(harness, 1)).toMatchObject({ outcome: 'delivered', receivers: 0, wakeups: [] });
      await startSubscribed(worker, ['a'], { mode: 'broadcast' });
      expect(await mailOf(harness, 'a')).toEqual([]);
    });

    it('of several senders at once are with everybody once, those of each sender in his order', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = ['a', 'b', 'c'];
      await startSubscribed(worker, ids, { mode: 'broadcast' });
      const senders = await Promise.all([0, 1, 2, 3].map(() => harness.worker()));
      await Promise.all(
        senders.map(async (sender, index) => {
          await sender.start(`sender-${index}`);
          for (let n = 0; n < 15; n++) {
            if (index % 2 === 0) await step(sender, `sender-${index}`, published([index, n]));
            else await sender.storage.messages.deliver(harness.event(newMessage([index, n])));
          }
        }),
      );
      for (const id of ids) {
        const mail = (await mailOf(harness, id)) as [number, number][];
        expect(mail).toHaveLength(60);
        for (const index of [0, 1, 2, 3]) {
          const ofOne = mail.filter(([sender]) => sender === index).map(([, n]) => n);
          expect(ofOne).toEqual(Array.from({ length: 15 }, (_, n) => n));
        }
      }
    });

    it('wake a subscriber that is put away, and keep one that would be', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('sender');
      await startSubscribed(worker, ['away', 'here'], { mode: 'broadcast' });
      await worker.settle({ type: 'park', instanceId: 'away', claim: 1, status: 'waiting_for_message', wakeAt: null });
      await step(worker, 'sender', published('x'));
      expect(await worker.claimOne('away')).toMatchObject({ claim: 2, mail: [{ topic, data: '"x"' }] });
      expect((await worker.settle(park('here'))).refused).toEqual(['here']);
    });

    it('and a subscription at once: it is in the mail exactly when it says so', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.storage.messages.fixMode({ topic, mode: 'broadcast' });
      for (let round = 0; round < rounds; round++) {
        const instanceId = `one-${round}`;
        await worker.start(instanceId);
        const [delivered] = await Promise.all([
          publish(harness, round),
          worker.commit({ subscriptions: [{ instanceId, topic, mode: 'broadcast' }], settlements: [park(instanceId)] }),
        ]);
        const mail = await mailOf(harness, instanceId);
        expect(mail).toEqual(delivered.receivers === 1 ? [round] : []);
        expect(await worker.claimIds()).toEqual(delivered.receivers === 1 ? [instanceId] : []);
        // Ended, so that the next round has one receiver at most.
        if (mail.length === 0) {
          await harness.deliver({ targetInstanceId: instanceId });
          await worker.claimOne(instanceId);
        }
        await worker.settle(ofClaim(2, complete(instanceId)));
      }
    });

    it('that the subscriber published before it subscribed are not for itself, though they come in one commit', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await startSubscribed(worker, ['other'], { mode: 'broadcast' });
      const before = stepOf('one', [published('before')], 4);
      const after = stepOf('one', [published('after')], 6);
      await worker.commit({
        entries: [...before.entries, newEntry('one', 5), ...after.entries],
        effects: [...before.effects, ...after.effects],
        subscriptions: [{ instanceId: 'one', topic, mode: 'broadcast', seq: 5 }],
      });
      expect(await mailOf(harness, 'one')).toEqual(['after']);
      expect(await mailOf(harness, 'other')).toEqual(['before', 'after']);
    });

    it('reach nobody who has unsubscribed, and with the subscription goes its mail alone', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await startSubscribed(worker, ['one', 'two'], { mode: 'broadcast' });
      await startSubscribed(worker, ['three'], { topic: 'channel:other', mode: 'broadcast' });
      await worker.commit({ subscriptions: [{ instanceId: 'one', topic: 'channel:other', mode: 'broadcast' }] });
      for (const of of [topic, 'channel:other']) await publish(harness, 'before', { topic: of });
      await step(worker, 'one', { type: 'unsubscribe', topic });
      expect((await publish(harness, 'after')).receivers).toBe(1);
      expect(await mailOf(harness, 'one')).toEqual([]);
      expect(await mailOf(harness, 'one', 'channel:other')).toEqual(['before']);
      expect(await mailOf(harness, 'two')).toEqual(['before', 'after']);
      await worker.commit({ subscriptions: [{ instanceId: 'one', topic, mode: 'broadcast' }] });
      await publish(harness, 'again');
      expect(await mailOf(harness, 'one')).toEqual(['again']);
    });

    it('reach nobody who has ended', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await startSubscribed(worker, ['one', 'two'], { mode: 'broadcast' });
      await worker.settle(complete('one'));
      expect((await publish(harness, 1)).receivers).toBe(1);
      expect(await mailOf(harness, 'one')).toEqual([]);
    });
  });

  describe('messages for one instance', () => {
    it.each(['broadcast', 'competing', 'direct', undefined] as const)(
      'reach it alone, subscribed or not (mode %s)',
      async (mode) => {
        const harness = await bench.harness();
        const worker = await harness.worker();
        await worker.start(['sender', 'apart']);
        if (mode !== undefined) await startSubscribed(worker, ['subscribed', 'other'], { mode });
        else await worker.start(['subscribed', 'other']);
        for (const instanceId of ['apart', 'subscribed']) {
          const to = { type: 'instance', instanceId } as const;
          expect(await publish(harness, 'outside', { to })).toMatchObject({ outcome: 'delivered', receivers: 1 });
          expect((await step(worker, 'sender', published('inside', { to }))).undelivered).toEqual([]);
          expect(await mailOf(harness, instanceId)).toEqual(['outside', 'inside']);
        }
        expect(await mailOf(harness, 'other')).toEqual([]);
      },
    );

    it('alone are what a direct channel brings', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await startSubscribed(worker, ['one', 'sender'], { mode: 'direct' });
      expect(await publish(harness, 'outside')).toMatchObject({ outcome: 'delivered', receivers: 0 });
      await step(worker, 'sender', published('inside'));
      expect(await mailOf(harness, 'one')).toEqual([]);
      await publish(harness, 'for one', { to: { type: 'instance', instanceId: 'one' } });
      expect(await mailOf(harness, 'one')).toEqual(['for one']);
    });

    it('that is not there, or has ended, are lost and named; what else is sent goes its way', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['sender', 'ended', 'there']);
      await worker.settle(complete('ended'));
      const messages = ['ended', 'unknown', 'there'].map((instanceId) => newMessage(1, { to: { type: 'instance', instanceId } }));
      const { undelivered } = await step(worker, 'sender', ...messages.map((message) => ({ type: 'message', message }) as const));
      const sorted = [...undelivered].sort((x, y) => (x.instanceId < y.instanceId ? -1 : 1));
      expect(sorted).toEqual([
        { messageId: messages[0]!.messageId, instanceId: 'ended' },
        { messageId: messages[1]!.messageId, instanceId: 'unknown' },
      ]);
      expect(await mailOf(harness, 'there')).toEqual([1]);
    });

    it('started in the same commit reach it', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('sender');
      const sent = stepOf('sender', [published(1, { to: { type: 'instance', instanceId: 'new' } })]);
      expect(await worker.commit({ starts: [newInstance('new')], ...sent })).toMatchObject({ undelivered: [] });
      expect(await mailOf(harness, 'new')).toEqual([1]);
    });
  });

  describe('messages for a group', () => {
    const to = { type: 'group', group: 'g' } as const;

    it('reach every member of that moment once, subscribed or not', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['a', 'b', 'sender', 'gone', 'ended', 'elsewhere']);
      for (const id of ['a', 'b', 'gone', 'ended', 'a']) await step(worker, id, { type: 'join', group: 'g' });
      await step(worker, 'elsewhere', { type: 'join', group: 'G' });
      await step(worker, 'gone', { type: 'leave', group: 'g' });
      await worker.settle(complete('ended'));
      expect(await publish(harness, 'outside', { to })).toMatchObject({ outcome: 'delivered', receivers: 2 });
      await step(worker, 'sender', published('inside', { to }));
      for (const id of ['a', 'b']) expect(await mailOf(harness, id)).toEqual(['outside', 'inside']);
      for (const id of ['gone', 'ended', 'elsewhere', 'sender']) expect(await mailOf(harness, id)).toEqual([]);
    });

    it('without a member are delivered to nobody', async () => {
      const harness = await bench.harness();
      expect(await publish(harness, 1, { to })).toMatchObject({ outcome: 'delivered', receivers: 0, wakeups: [] });
    });

    it('members are told in the order of the bytes of their ids', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      // Beyond the first plane, UTF-8 and UTF-16 sort differently.
      const ids = ['\u{1f600}', '\uffee', 'Z', 'a', 'ä', 'a1', ''.padEnd(3, 'b')];
      await worker.start(ids);
      for (const id of ids) await join(worker, id);
      const { messages } = await harness.storage();
      expect(await messages.members('g')).toEqual(['Z', 'a', 'a1', 'bbb', 'ä', '\uffee', '\u{1f600}']);
      expect(await messages.members('none')).toEqual([]);
      await step(worker, 'a', { type: 'leave', group: 'g' });
      await worker.settle(complete('a1'));
      expect(await messages.members('g')).toEqual(['Z', 'bbb', 'ä', '\uffee', '\u{1f600}']);
    });
  });
}

function join(worker: TestWorker, instanceId: string): Promise<unknown> {
  return step(worker, instanceId, { type: 'join', group: 'g' });
}
