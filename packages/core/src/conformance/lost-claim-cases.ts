// Cases: a claim whose answer was lost leaves no instance behind that its owner does not know of.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { newEntry, newInstance, ofClaim, park } from './test-worker.js';

export function lostClaimCases(bench: Bench): void {
  describe('claims after a lost answer', () => {
    it('hand out again what the worker owns and does not hold', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({
        starts: ['held', 'a', 'b'].map((id) => newInstance(id, { owned: id === 'held' })),
        entries: [newEntry('a', 1)],
      });
      await harness.deliver({ targetInstanceId: 'b', data: '"for b"' });
      await harness.cancel('a', 'x');
      // The answer to this claim is the one that was lost.
      await worker.claim();
      const { claimed, attention } = await worker.claim({ holding: ['held'] });
      expect(claimed.map((run) => run.instanceId).sort()).toEqual(['a', 'b']);
      expect(attention).toEqual([]);
      const byId = new Map(claimed.map((run) => [run.instanceId, run]));
      expect(byId.get('a')).toMatchObject({ workflowName: 'order', claim: 2, cancel: { reason: 'x' }, historyComplete: true });
      expect(byId.get('a')?.history).toEqual(await worker.history('a'));
      expect(byId.get('b')?.mail.map(({ data }) => data)).toEqual(['"for b"']);
      expect((await worker.claim({ holding: ['held', 'a', 'b'] })).claimed).toEqual([]);
    });

    it('do so before others, whatever the limit', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const lost = ['lost-1', 'lost-2', 'lost-3'];
      await worker.start(lost);
      await worker.start('due');
      await worker.settle(park('due', (await worker.now()) - 60_000));
      const { claimed } = await worker.claim({ holding: [], limit: 1 });
      expect(
        claimed
          .slice(0, 3)
          .map((run) => run.instanceId)
          .sort(),
      ).toEqual(lost);
    });

    it('go on with what is due when there is room', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('lost');
      await worker.start('due', { owned: false });
      expect(await worker.claimIds({ holding: [] })).toEqual(['lost', 'due']);
    });

    it('clear the attention of what they hand out', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('lost');
      await harness.deliver({ targetInstanceId: 'lost' });
      const { claimed } = await worker.claim({ holding: [] });
      expect(claimed[0]?.mail).toHaveLength(1);
      expect((await worker.settle(ofClaim(2, park('lost')))).refused).toEqual([]);
      expect((await harness.get('lost')).owner).toBeNull();
    });

    it('hand out nothing again as a rule, and never what others own', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start('mine');
      await other.start('others');
      expect(await worker.claimIds()).toEqual([]);
      expect(await worker.claimIds({ holding: ['mine', 'unknown'] })).toEqual([]);
      expect(await worker.claimIds({ holding: [] })).toEqual(['mine']);
      expect((await harness.get('others')).owner).toBe(other.workerId);
    });
  });
}
