// Cases: a cancellation is asked for once, reaches whoever executes the instance, and no other end overtakes it.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { cancelled, complete, fail, newEntry, ofClaim, park, release, stall } from './test-worker.js';

const hour = 3_600_000;

export function cancelCases(bench: Bench): void {
  describe('cancel', () => {
    it.each([
      ['an instance that waits without limit', (id: string) => park(id)],
      ['a sleeping one', (id: string, later: number) => park(id, later)],
      [
        'a retrying one',
        (instanceId: string, wakeAt: number) =>
          ({ type: 'park', instanceId, claim: 1, status: 'waiting_for_retry', wakeAt }) as const,
      ],
      ['one that was released for later', (id: string, later: number) => release(id, later)],
      ['a stalled one', (id: string, later: number) => stall(id, later)],
    ])('makes %s claimable at once', async (_, settlement) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const later = (await worker.now()) + hour;
      await worker.settle(settlement('one', later));
      const { outcome, wakeups } = await harness.cancel('one', 'changed my mind');
      expect(outcome).toBe('requested');
      expect(wakeups).toEqual([{ kind: 'workflow_resumable', instanceId: 'one', workflowName: 'order' }]);
      const record = await harness.get('one');
      expect(record).toMatchObject({ cancelRequested: true, cancelReason: 'changed my mind', owner: null, finishedAt: null });
      expect(record.wakeAt).not.toBeNull();
      expect((await worker.claimOne('one')).cancel).toEqual({ reason: 'changed my mind' });
    });

    it('gives the owner of a running instance attention', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['one', 'two']);
      expect(await harness.cancel('one')).toMatchObject({ outcome: 'requested', status: 'running' });
      expect(await harness.get('one')).toMatchObject({
        status: 'running',
        owner: worker.workerId,
        cancelRequested: true,
        cancelReason: null,
      });
      expect((await worker.claim()).attention).toEqual(['one']);
      expect(await worker.signals('one')).toMatchObject([{ cancel: { reason: null } }]);
    });

    it('keeps the first reason', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['reason', 'none']);
      expect((await harness.cancel('reason', 'first')).outcome).toBe('requested');
      expect((await harness.cancel('reason', 'second')).outcome).toBe('already');
      expect((await harness.cancel('none', null)).outcome).toBe('requested');
      expect((await harness.cancel('none', 'late')).outcome).toBe('already');
      expect((await harness.get('reason')).cancelReason).toBe('first');
      expect((await harness.get('none')).cancelReason).toBeNull();
    });

    it('again gives no attention a second time', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await harness.cancel('one');
      await worker.signals('one');
      await harness.cancel('one');
      expect((await worker.claim()).attention).toEqual([]);
      expect((await worker.settle(park('one'))).refused).toEqual([]);
    });

    it('is too late for an instance that has ended', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['a', 'b', 'c']);
      await harness.cancel('c', 'in time');
      await worker.settle(complete('a'), fail('b'), cancelled('c'));
      expect(await harness.cancel('a', 'late')).toEqual({ outcome: 'finished', status: 'completed', wakeups: [] });
      expect(await harness.cancel('b', 'late')).toEqual({ outcome: 'finished', status: 'failed', wakeups: [] });
      expect(await harness.cancel('c', 'late')).toEqual({ outcome: 'finished', status: 'cancelled', wakeups: [] });
      expect(await harness.get('a')).toMatchObject({ status: 'completed', cancelRequested: false, cancelReason: null });
      expect(await harness.get('c')).toMatchObject({ status: 'cancelled', cancelRequested: true, cancelReason: 'in time' });
    });

    it('of an unknown instance says so', async () => {
      const harness = await bench.harness();
      expect(await harness.cancel('nobody')).toEqual({ outcome: 'unknown', status: null, wakeups: [] });
    });

    it('refuses completion and failure from then on, and lets the cancelled end through', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['completes', 'fails', 'cancelled']);
      for (const id of ['completes', 'fails', 'cancelled']) await harness.cancel(id);
      const result = await worker.commit({
        entries: [newEntry('completes', 1)],
        settlements: [complete('completes'), fail('fails'), cancelled('cancelled')],
      });
      expect([...result.refused].sort()).toEqual(['completes', 'fails']);
      for (const id of ['completes', 'fails']) {
        expect(await harness.get(id)).toMatchObject({
          status: 'running',
          owner: worker.workerId,
          output: null,
          finishedAt: null,
        });
      }
      expect(await worker.history('completes')).toHaveLength(1);
      expect(await harness.get('cancelled')).toMatchObject({ status: 'cancelled', owner: null, wakeAt: null });
      // Having seen it does not help: what was asked for is an end as cancelled.
      await worker.signals(['completes', 'fails']);
      expect([...(await worker.settle(complete('completes'), fail('fails'))).refused].sort()).toEqual(['completes', 'fails']);
      expect((await worker.settle(cancelled('completes'), cancelled('fails'))).refused).toEqual([]);
    });

    it('and an end at once: one of them wins, and both sides know which', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      for (let round = 0; round < 40; round++) {
        const instanceId = `one-${round}`;
        await worker.start(instanceId);
        const [asked, settled] = await Promise.all([harness.cancel(instanceId), worker.settle(complete(instanceId))]);
        const ended = (await harness.get(instanceId)).status === 'completed';
        expect(asked.outcome).toBe(ended ? 'finished' : 'requested');
        expect(settled.refused).toEqual(ended ? [] : [instanceId]);
      }
    });

    it('by many at once is granted to one of them', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const storages = await Promise.all(Array.from({ length: 5 }, () => harness.open()));
      const answers = await Promise.all(
        storages.map((storage, index) => storage.instances.requestCancel({ instanceId: 'one', reason: `by ${index}` })),
      );
      const granted = answers.flatMap(({ outcome }, index) => (outcome === 'requested' ? [`by ${index}`] : []));
      expect(granted).toHaveLength(1);
      expect((await harness.get('one')).cancelReason).toBe(granted[0]);
    });

    it('survives the owner: whoever claims next is told', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start('one');
      await harness.cancel('one', 'x');
      await worker.signals('one');
      await worker.retire();
      expect((await other.claimOne('one')).cancel).toEqual({ reason: 'x' });
    });

    it('is undone by nothing: not by a timer that comes due, not by a release', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(park('one', (await worker.now()) + 100));
      await harness.cancel('one', 'x');
      await harness.pass(200);
      expect((await worker.claimOne('one')).cancel).toEqual({ reason: 'x' });
      await worker.settle(ofClaim(2, release('one')));
      expect((await worker.claimOne('one')).cancel).toEqual({ reason: 'x' });
      await worker.settle(ofClaim(3, cancelled('one')));
      expect(await worker.claim()).toMatchObject({ claimed: [], nextDueAt: null });
    });
  });
}
