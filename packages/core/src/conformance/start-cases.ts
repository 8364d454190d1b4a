// Cases: an instance id is used once, and the start that used it knows its own.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { newEntry, newInstance, park } from './test-worker.js';

export function startCases(bench: Bench): void {
  describe('starts', () => {
    it('an owned one runs at once, and counts as one claim', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      const before = await worker.now();
      const { conflicts, refused, now } = await worker.start('order-1', { input: '{"sku":"x"}' });
      expect({ conflicts, refused }).toEqual({ conflicts: [], refused: [] });
      expect(now).toBeGreaterThanOrEqual(before);

      const record = await harness.get('order-1');
      const { createdAt, ...rest } = record;
      expect(rest).toEqual({
        instanceId: 'order-1',
        workflowName: 'order',
        status: 'running',
        input: '{"sku":"x"}',
        output: null,
        error: null,
        cancelReason: null,
        cancelRequested: false,
        owner: worker.workerId,
        wakeAt: null,
        finishedAt: null,
        compensationFailures: null,
        parentId: null,
        continuedAs: null,
        continuedFrom: null,
      });
      expect(createdAt).toBeGreaterThanOrEqual(before);
      expect(createdAt).toBeLessThanOrEqual(now);
      expect(await other.claimIds()).toEqual([]);
      expect(await worker.claimIds()).toEqual([]);
      await worker.retire();
      expect(await other.claimOne('order-1')).toMatchObject({ claim: 2, createdAt });
    });

    it('one that is not owned is pending and can be claimed by anybody at once', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      const { now } = await worker.start('order-1', { owned: false });
      const record = await harness.get('order-1');
      expect(record).toMatchObject({ status: 'pending', owner: null });
      expect(record.wakeAt).not.toBeNull();
      expect(record.wakeAt!).toBeLessThanOrEqual(now);
      expect(await other.claimOne('order-1')).toMatchObject({ claim: 1, createdAt: record.createdAt });
    });

    it('refuses an id that another start has used, names it, and goes on with the rest of the batch', async () => {
      const harness = await bench.harness();
      const [first, second] = [await harness.worker(), await harness.worker()];
      await first.start('taken', { input: '"first"' });
      const result = await second.commit({
        starts: [newInstance('free-1'), newInstance('taken', { input: '"second"' }), newInstance('free-2', { owned: false })],
        entries: [newEntry('free-1', 1)],
        settlements: [park('free-1')],
      });
      expect(result).toMatchObject({ conflicts: ['taken'], refused: [] });
      expect(await harness.get('taken')).toMatchObject({ owner: first.workerId, input: '"first"' });
      expect(await harness.get('free-1')).toMatchObject({ status: 'waiting_for_event' });
      expect(await harness.get('free-2')).toMatchObject({ status: 'pending' });
      expect(await second.history('free-1')).toHaveLength(1);
    });

    it('refuses an id within one worker too, and after the instance has ended', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('taken');
      expect((await worker.start('taken')).conflicts).toEqual(['taken']);
      await worker.settle({ type: 'finish', instanceId: 'taken', claim: 1, status: 'completed', output: '1', error: null });
      expect((await worker.start('taken')).conflicts).toEqual(['taken']);
      expect(await harness.get('taken')).toMatchObject({ status: 'completed', output: '1' });
    });

    it('keeps what a running instance records when a further start of its id comes in the same batch', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('mine');
      const result = await worker.commit({
        starts: [newInstance('mine', { owned: false })],
        entries: [newEntry('mine', 1)],
        subscriptions: [{ instanceId: 'mine', topic: 'event:news' }],
        settlements: [park('mine')],
      });
      expect(result).toMatchObject({ conflicts: ['mine'], refused: [] });
      expect(await worker.history('mine')).toMatchObject([{ seq: 1 }]);
      expect((await harness.get('mine')).status).toBe('waiting_for_event');
    });

    it('lets one of many concurrent starts of the same id win', async () => {
      const harness = await bench.harness();
      const workers = await Promise.all(Array.from({ length: 10 }, () => harness.worker()));
      for (let round = 0; round < 10; round++) {
        const instanceId = `contested-${round}`;
        const results = await Promise.all(workers.map((worker) => worker.start(instanceId)));
        const winners = workers.filter((_, index) => results[index]!.conflicts.length === 0);
        expect(winners).toHaveLength(1);
        expect((await harness.get(instanceId)).owner).toBe(winners[0]!.workerId);
      }
    });

    it('starts many in one batch, in any order against another batch of the same ids', async () => {
      const harness = await bench.harness();
      const [first, second] = [await harness.worker(), await harness.worker()];
      const ids = Array.from({ length: 50 }, (_, index) => `bulk-${index}`);
      // In opposite orders: where rows are locked one after the other, two batches must not wait for each other for ever.
      const [one, two] = await Promise.all([first.start(ids), second.start([...ids].reverse())]);
      expect([...one.conflicts, ...two.conflicts].sort()).toEqual([...ids].sort());
      const owners = await Promise.all(ids.map(async (id) => (await harness.get(id)).owner));
      expect(owners.filter((owner) => owner === first.workerId)).toHaveLength(50 - one.conflicts.length);
      expect(owners.filter((owner) => owner === second.workerId)).toHaveLength(50 - two.conflicts.length);
    });

    it('keeps ids apart that differ in case, in accents or in trailing spaces only', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = [
        'order',
        'Order',
        'ORDER',
        'órder',
        'o\u0301rder',
        'order ',
        ' order',
        'order%',
        'order_',
        "order'",
        'order"',
        '订单',
        '🧾',
      ];
      expect((await worker.start(ids)).conflicts).toEqual([]);
      for (const id of ids) expect((await harness.get(id)).instanceId).toBe(id);
    });

    it('takes ids and names of 255 characters', async () => {
      const harness = await bench.harness();
      const [instanceId, workflowName] = ['i'.repeat(255), '工'.repeat(255)];
      const worker = await harness.worker({ workflowNames: [workflowName] });
      await worker.start(instanceId, { workflowName, owned: false });
      expect(await worker.claimOne(instanceId)).toMatchObject({ workflowName });
    });
  });
}
