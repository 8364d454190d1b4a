// Cases: what an instance got from the queue of a competing channel and did not take goes back into its old place.
import { describe, expect, it } from 'vitest';
import { drain, mailOf, publish, step, stepOf, takenMail, topic } from './message-stage.js';
import { queueStage } from './queue-stage.js';
import type { Bench } from './storage-harness.js';
import { complete, park } from './test-worker.js';

const seek = { type: 'seek', topic } as const;
const unseek = { type: 'unseek', topic } as const;
const unsubscribe = { type: 'unsubscribe', topic } as const;

export function queueReturnCases(bench: Bench): void {
  describe('messages of a competing channel that were got and not taken', () => {
    const endings = [
      { name: 'unseek', batch: () => stepOf('a', [unseek]) },
      { name: 'unsubscribe', batch: () => stepOf('a', [unsubscribe]) },
      { name: 'finish', batch: () => ({ settlements: [complete('a')] }) },
    ];

    it.each(endings)('go back into their old place: $name', async ({ batch }) => {
      const { harness, worker } = await queueStage(bench, ['a', 'b']);
      await step(worker, 'a', seek);
      for (const n of [1, 2, 3]) await publish(harness, n);
      expect(await mailOf(harness, 'a')).toEqual([1]);
      await worker.commit(batch());
      expect(await mailOf(harness, 'a')).toEqual([]);
      expect(await drain(harness, worker, 'b')).toEqual([1, 2, 3]);
    });

    it.each(endings)('go on at once to who seeks already: $name', async ({ batch }) => {
      const { harness, worker } = await queueStage(bench, ['a', 'b', 'c']);
      for (const id of ['a', 'b']) await step(worker, id, seek);
      await worker.settle(park('b'));
      await publish(harness, 1);
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[1], []]);
      await worker.commit(batch());
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[], [1]]);
      expect(await worker.claimOne('b')).toMatchObject({ mail: [{ data: '1' }] });
      expect(await drain(harness, worker, 'c')).toEqual([]);
    });

    it.each(endings)('are told of by the name of who gets them: $name', async ({ batch }) => {
      const { harness, worker } = await queueStage(bench, ['a', 'b', 'c']);
      const wakeup = { kind: 'channel_message', channelName: 'jobs' };
      for (const id of ['a', 'b']) await step(worker, id, seek);
      await worker.settle(park('b'));
      const { wakeups: published } = await publish(harness, 1);
      expect(published).toMatchObject([wakeup]);
      const messageId = published[0]!.kind === 'channel_message' ? published[0]!.messageId : '';
      // To one that nobody owns.
      const first = await worker.commit(batch());
      expect(first.wakeups).toEqual([{ ...wakeup, messageId, targetInstanceId: 'b' }]);
      expect([...first.attention, ...(first.handed ?? [])]).toEqual([]);
      // To one that this worker owns: nobody else need know.
      await step(worker, 'c', seek);
      const { claim } = await worker.claimOne('b');
      const second = await worker.commit({ settlements: [{ ...complete('b'), claim }] });
      expect(second.wakeups).toEqual([]);
      expect(second.attention).toEqual(['c']);
      expect(await worker.signals('c')).toMatchObject([{ mail: [{ data: '1' }] }]);
    });

    it.each(endings)('leave nobody who seeks behind: $name', async ({ batch }) => {
      const { harness, worker } = await queueStage(bench, ['a', 'b']);
      await step(worker, 'a', seek);
      await worker.commit(batch());
      expect((await publish(harness, 1)).receivers).toBe(0);
      expect(await mailOf(harness, 'a')).toEqual([]);
      expect(await drain(harness, worker, 'b')).toEqual([1]);
    });

    it.each(endings)('do not go back when they are taken in the same commit: $name', async ({ batch }) => {
      const { harness, worker } = await queueStage(bench, ['a', 'b']);
      await step(worker, 'a', seek);
      await publish(harness, 1);
      await worker.commit({ ...batch(), takenMail: await takenMail(harness, 'a') });
      expect(await drain(harness, worker, 'b')).toEqual([]);
    });

    it('go back between what came before and what came after', async () => {
      const { harness, worker } = await queueStage(bench, ['a', 'b', 'c', 'd']);
      for (const id of ['a', 'b', 'c']) await step(worker, id, seek);
      for (const n of [1, 2, 3, 4]) await publish(harness, n);
      // Not in their order.
      for (const id of ['c', 'a']) await step(worker, id, unseek);
      expect(await drain(harness, worker, 'd')).toEqual([1, 3, 4]);
      expect(await mailOf(harness, 'b')).toEqual([2]);
    });

    it('are not taken away once more by a commit that is sent again', async () => {
      const { harness, worker } = await queueStage(bench, ['a']);
      await step(worker, 'a', seek);
      await publish(harness, 1);
      const taking = worker.batch({ takenMail: await takenMail(harness, 'a') });
      await step(worker, 'a', unseek);
      await step(worker, 'a', seek);
      // The same message, but another piece of mail.
      await worker.storage.runs.commit(taking);
      expect(await mailOf(harness, 'a')).toEqual([1]);
    });

    it('go back alone: what was sent to the instance itself stays, until it unsubscribes', async () => {
      const { harness, worker } = await queueStage(bench, ['a', 'b']);
      await step(worker, 'a', seek);
      await publish(harness, 'queued');
      await publish(harness, 'sent', { to: { type: 'instance', instanceId: 'a' } });
      await step(worker, 'a', unseek);
      expect(await mailOf(harness, 'a')).toEqual(['sent']);
      await step(worker, 'a', unsubscribe);
      expect(await mailOf(harness, 'a')).toEqual([]);
      expect(await drain(harness, worker, 'b')).toEqual(['queued']);
    });
  });
}
