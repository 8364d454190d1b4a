// Cases: a message of a competing channel waits in a queue until somebody seeks one, and goes to one who does.
import { describe, expect, it } from 'vitest';
import { drain, mailOf, publish, published, startSubscribed, step, stepOf, takenMail, topic } from './message-stage.js';
import { queueStage } from './queue-stage.js';
import type { Bench } from './storage-harness.js';
import { park } from './test-worker.js';

const seek = { type: 'seek', topic } as const;
const unseek = { type: 'unseek', topic } as const;

export function queueCases(bench: Bench): void {
  describe('messages of a competing channel', () => {
    it('wait until somebody seeks, and go to one, the oldest first', async () => {
      const { harness, worker } = await queueStage(bench, ['a', 'b']);
      for (const n of [1, 2, 3]) expect(await publish(harness, n)).toMatchObject({ outcome: 'delivered', receivers: 0 });
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[], []]);
      await step(worker, 'a', seek);
      await step(worker, 'b', seek);
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[1], [2]]);
      expect(await drain(harness, worker, 'b')).toEqual([2, 3]);
    });

    it('go to those who seek already, the longest-seeking first; each seek brings one', async () => {
      const { harness, worker } = await queueStage(bench, ['a', 'b', 'c']);
      for (const id of ['c', 'a', 'b', 'c']) await step(worker, id, seek);
      for (const n of [1, 2, 3]) expect((await publish(harness, n)).receivers).toBe(1);
      expect((await publish(harness, 4)).receivers).toBe(0);
      expect(await mailOf(harness, 'c')).toEqual([1]);
      expect(await mailOf(harness, 'a')).toEqual([2]);
      expect(await mailOf(harness, 'b')).toEqual([3]);
    });

    it('go to the longest-seeking, also when somebody begins to seek in the commit that sends them', async () => {
      const { harness, worker } = await queueStage(bench, ['a', 'b', 'c']);
      await step(worker, 'a', seek);
      await step(worker, 'b', seek, published(1));
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b')]).toEqual([[1], []]);
      await step(worker, 'c', published(2), published(3), seek, published(4));
      expect([await mailOf(harness, 'a'), await mailOf(harness, 'b'), await mailOf(harness, 'c')]).toEqual([[1], [2], [3]]);
    });

    it('say that they come from a queue; those for one instance do not', async () => {
      const { harness, worker } = await queueStage(bench, ['a']);
      await step(worker, 'a', seek);
      await publish(harness, 'queued');
      await publish(harness, 'sent', { to: { type: 'instance', instanceId: 'a' } });
      expect((await worker.signals('a'))[0]?.mail).toMatchObject([
        { data: '"queued"', isQueued: true },
        { data: '"sent"', isQueued: false },
      ]);
      const mail = await worker.storage.runs.mail({ instanceId: 'a', topic, afterMailId: null, limit: 9 });
      expect(mail.map(({ isQueued }) => isQueued)).toEqual([true, false]);
    });

    it('that came before anybody subscribed are his backlog', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('sender');
      await publish(harness, 1);
      await step(worker, 'sender', published(2), published(3));
      await startSubscribed(worker, ['a'], { mode: 'competing' });
      expect(await drain(harness, worker, 'a')).toEqual([1, 2, 3]);
    });

    it.each(['broadcast', 'direct'] as const)('that came before the channel was made %s are dropped', async (mode) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await publish(harness, 1);
      await startSubscribed(worker, ['a'], { mode });
      await step(worker, 'a', seek);
      expect(await mailOf(harness, 'a')).toEqual([]);
      await publish(harness, 2);
      expect(await mailOf(harness, 'a')).toEqual(mode === 'broadcast' ? [2] : []);
    });

    it('are sought by subscribers alone', async () => {
      const { harness, worker } = await queueStage(bench, ['a']);
      await worker.start('stranger');
      await step(worker, 'stranger', seek);
      expect((await publish(harness, 1)).receivers).toBe(0);
      expect(await drain(harness, worker, 'a')).toEqual([1]);
    });

    it('make their receiver claimable, or keep him from being put away', async () => {
      const { harness, worker } = await queueStage(bench, ['a', 'b']);
      await worker.commit({ ...stepOf('a', [seek]), settlements: [park('a')] });
      await publish(harness, 1);
      expect(await worker.claimOne('a')).toMatchObject({ mail: [{ data: '1' }] });
      await publish(harness, 2);
      // It finds one in the commit that would put it away.
      expect(await worker.commit({ ...stepOf('b', [seek]), settlements: [park('b')] })).toMatchObject({ refused: ['b'] });
      expect((await worker.signals('b'))[0]?.mail).toMatchObject([{ data: '2' }]);
    });

    it('are sought on while the process changes', async () => {
      const { harness, worker } = await queueStage(bench, ['a']);
      const next = await harness.worker();
      await step(worker, 'a', seek);
      await worker.retire();
      expect(await next.claimIds()).toEqual(['a']);
      expect((await publish(harness, 1)).receivers).toBe(1);
      expect(await mailOf(harness, 'a')).toEqual([1]);
    });

    it('are sent and sought in one commit in the order of the port, not of the list', async () => {
      const { harness, worker } = await queueStage(bench, ['a']);
      await step(worker, 'a', seek, published(1));
      expect(await mailOf(harness, 'a')).toEqual([1]);
      await worker.commit({ takenMail: await takenMail(harness, 'a') });
      await step(worker, 'a', seek, unseek);
      expect((await publish(harness, 2)).receivers).toBe(1);
    });
  });
}
