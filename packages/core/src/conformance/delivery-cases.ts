// Cases: several that come from outside together are delivered together, each answered for itself.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { mailOf, newMessage, startSubscribed, step, topic } from './message-stage.js';
import { complete, newInstance } from './test-worker.js';

export function deliveryCases(bench: Bench): void {
  describe('several messages at once', () => {
    it('reach each receiver in the order of the list, of whatever kind they are', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ starts: [{ topic: 'event:paid', workflowName: 'order' }], workflowNames: ['order'] });
      const { messages } = await harness.storage();
      await worker.commit({ starts: ['a', 'b'].map((id) => newInstance(id)) });
      await startSubscribed(worker, ['c'], { topic: 'channel:news', mode: 'broadcast' });
      await worker.commit({ subscriptions: ['a', 'c'].map((instanceId) => ({ instanceId, topic: 'event:paid' })) });
      await step(worker, 'b', { type: 'join', group: 'team' });
      const toA = { to: { type: 'instance', instanceId: 'a' } } as const;
      const answers = await messages.deliverAll([
        harness.event({ topic: 'event:paid', data: '1', starts: { input: '1', idEnding: 'one' } }),
        harness.event({ ...toA, topic: 'event:paid', data: '2' }),
        harness.event({ topic: 'channel:news', data: '3' }),
        harness.event({ topic: 'event:paid', data: '4', to: { type: 'group', group: 'team' } }),
        harness.event({ topic: 'event:paid', data: '5', starts: { input: '5', idEnding: 'five' } }),
        harness.event({ topic: 'event:nobody', data: '6' }),
      ]);
      expect(
        answers.map(({ outcome, receivers, started }) => [outcome, receivers, started.map((one) => one.instanceId)]),
      ).toEqual([
        ['delivered', 2, ['order:one']],
        ['delivered', 1, []],
        ['delivered', 1, []],
        ['delivered', 1, []],
        ['delivered', 2, ['order:five']],
        ['delivered', 0, []],
      ]);
      expect(answers.map(({ wakeups }) => wakeups.map(({ kind }) => kind))).toEqual([
        ['channel_message', 'workflow_resumable'],
        ['channel_message'],
        ['channel_message'],
        ['channel_message'],
        ['channel_message', 'workflow_resumable'],
        [],
      ]);
      expect(await mailOf(harness, 'a', 'event:paid')).toEqual([1, 2, 5]);
      expect(await mailOf(harness, 'b', 'event:paid')).toEqual([4]);
      expect(await mailOf(harness, 'c', 'event:paid')).toEqual([1, 5]);
      expect(await mailOf(harness, 'c', 'channel:news')).toEqual([3]);
      expect((await harness.get('order:five')).input).toBe('5');
    });

    it('to one queue go to those who seek, and the rest waits in its order', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const { messages } = await harness.storage();
      await startSubscribed(worker, ['a', 'b', 'c'], { mode: 'competing' });
      await step(worker, 'b', { type: 'seek', topic });
      await step(worker, 'a', { type: 'seek', topic });
      const list = [1, 2, 3, 4].map((data) => harness.event(newMessage(data)));
      const answers = await messages.deliverAll(list);
      expect(answers.map(({ receivers, wakeups }) => [receivers, wakeups.length])).toEqual([
        [1, 1],
        [1, 1],
        [0, 0],
        [0, 0],
      ]);
      expect([await mailOf(harness, 'b'), await mailOf(harness, 'a'), await mailOf(harness, 'c')]).toEqual([[1], [2], []]);
      await step(worker, 'c', { type: 'seek', topic });
      expect(await mailOf(harness, 'c')).toEqual([3]);
    });

    it('out of a queue and by name come to one in the order of each', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const { messages } = await harness.storage();
      await startSubscribed(worker, ['a'], { mode: 'competing' });
      await step(worker, 'a', { type: 'seek', topic });
      const byName = { to: { type: 'instance', instanceId: 'a' } } as const;
      const list = [
        newMessage('queued'),
        { ...newMessage('first'), ...byName },
        newMessage('waits'),
        { ...newMessage('second'), ...byName },
      ].map((message) => harness.event(message));
      const answers = await messages.deliverAll(list);
      expect(answers.map(({ receivers }) => receivers)).toEqual([1, 1, 0, 1]);
      const mail = await mailOf(harness, 'a');
      expect([...mail].sort()).toEqual(['first', 'queued', 'second']);
      expect(mail.filter((one) => one !== 'queued')).toEqual(['first', 'second']);
    });

    it('that are for one who is not there, or are duplicates, change nothing for the others', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const { messages } = await harness.storage();
      await worker.start(['open', 'over']);
      await worker.settle(complete('over'));
      const seen = harness.event({ targetInstanceId: 'open', data: '"seen"' });
      await messages.deliver(seen);
      const toMissing = harness.event({ targetInstanceId: 'missing', data: '"late"' });
      const list = [
        toMissing,
        harness.event({ targetInstanceId: 'open', data: '1' }),
        seen,
        harness.event({ targetInstanceId: 'over' }),
        harness.event({ targetInstanceId: 'open', data: '2' }),
      ];
      const answers = await messages.deliverAll(list);
      expect(answers.map(({ outcome }) => outcome)).toEqual(['unknown', 'delivered', 'duplicate', 'finished', 'delivered']);
      expect(answers.map(({ wakeups }) => wakeups.length)).toEqual([0, 1, 0, 0, 1]);
      expect(await mailOf(harness, 'open', 'event:paid')).toEqual(['seen', 1, 2]);
      // What was refused is not taken as seen, what was delivered is.
      await worker.start('missing');
      const again = await messages.deliverAll(list);
      expect(again.map(({ outcome }) => outcome)).toEqual(['delivered', 'duplicate', 'duplicate', 'finished', 'duplicate']);
      expect(await mailOf(harness, 'missing', 'event:paid')).toEqual(['late']);
    });

    it('that are none are none', async () => {
      const harness = await bench.harness();
      expect(await (await harness.storage()).messages.deliverAll([])).toEqual([]);
    });

    it('of many processes at once reach everybody, with overlapping lists in any order', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 6 }, (_, index) => `i${index}`);
      await worker.start(ids);
      await worker.commit({ subscriptions: ids.map((instanceId) => ({ instanceId, topic: 'event:paid' })) });
      const storages = await Promise.all([harness.open(), harness.open(), harness.open()]);
      for (let round = 0; round < 5; round++) {
        const list = Array.from({ length: 8 }, (_, index) =>
          harness.event(index % 2 === 0 ? { targetInstanceId: ids[index % 6]! } : {}),
        );
        const answers = await Promise.all(
          storages.map((storage, index) =>
            storage.messages.deliverAll(index === 1 ? [...list].reverse() : [...list.slice(index), ...list.slice(0, index)]),
          ),
        );
        expect(answers.flat().filter(({ outcome }) => outcome === 'delivered')).toHaveLength(list.length);
      }
      const mail = await Promise.all(ids.map((instanceId) => mailOf(harness, instanceId, 'event:paid')));
      for (const data of mail) expect(new Set(data.map((one) => JSON.stringify(one))).size).toBe(data.length);
      expect(mail.flat()).toHaveLength(5 * (4 * ids.length + 4));
    });
  });
}
