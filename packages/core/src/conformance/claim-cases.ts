// Cases: due instances go to one worker each, in order, and no worker is held up by what it does not serve.
import { describe, expect, it } from 'vitest';
import type { ClaimedRun } from '../ports/index.js';
import type { Bench } from './storage-harness.js';
import { newEntry, newInstance, ofClaim, park, release } from './test-worker.js';

export function claimCases(bench: Bench): void {
  describe('claims', () => {
    it('give all that a run needs', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one', { owned: false, input: '{"a":[1]}' })], entries: [newEntry('one', 1)] });
      const { createdAt } = await harness.get('one');
      const result = await worker.claim();
      const expected: ClaimedRun = {
        instanceId: 'one',
        workflowName: 'order',
        input: '{"a":[1]}',
        createdAt,
        claim: 1,
        parentId: null,
        generation: 0,
        isInputChecked: true,
        historyStart: 0,
        cancel: null,
        mail: [],
        history: await worker.history('one'),
        historyComplete: true,
      };
      expect(result).toMatchObject({ claimed: [expected], attention: [], nextDueAt: null });
      expect(await harness.get('one')).toMatchObject({ status: 'running', owner: worker.workerId, wakeAt: null });
    });

    it('have a number for each instance, from 1 on', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one', { owned: false });
      for (let claim = 1; claim <= 4; claim++) {
        expect(await worker.claimOne('one')).toMatchObject({ claim });
        await worker.settle(ofClaim(claim, release('one')));
      }
    });

    it('come by due time, the longest due first, up to the limit', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const now = await worker.now();
      const order = [4, 0, 3, 1, 2];
      await worker.start(order.map((n) => `n${n}`));
      await worker.settle(...order.map((n) => park(`n${n}`, now - 10_000 + n * 1000)));
      const first = await worker.claim({ limit: 2 });
      expect(first.claimed.map((run) => run.instanceId)).toEqual(['n0', 'n1']);
      expect(first.nextDueAt).toBe(now - 8000);
      expect(await worker.claimIds({ limit: 2 })).toEqual(['n2', 'n3']);
      const last = await worker.claim({ limit: 2 });
      expect(last.claimed.map((run) => run.instanceId)).toEqual(['n4']);
      expect(last.nextDueAt).toBeNull();
    });

    it('come by due time whatever workflow they are of: none goes before another by its name', async () => {
      const harness = await bench.harness();
      const workflowNames = ['alpha', 'beta', 'gamma'];
      const worker = await harness.worker({ workflowNames });
      const now = await worker.now();
      const places = Array.from({ length: 12 }, (_, index) => index);
      for (const [index, workflowName] of workflowNames.entries()) {
        await worker.start(
          places.filter((place) => place % 3 === index).map((place) => `n${place}`),
          { workflowName },
        );
      }
      // gamma is due first, then beta, then alpha, then gamma again.
      await worker.settle(...places.map((place) => park(`n${place}`, now - 1000 * (place + 1))));
      const expected = [...places].reverse().map((place) => `n${place}`);
      for (let from = 0; from < 12; from += 4) {
        expect(await worker.claimIds({ limit: 4, workflowNames })).toEqual(expected.slice(from, from + 4));
      }
    });

    it('of a limit of 0 claim nothing, and tell when the next one is due', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const now = await worker.now();
      await worker.start(['later', 'past']);
      await worker.settle(park('later', now + 60_000));
      expect(await worker.claim({ limit: 0 })).toMatchObject({ claimed: [], nextDueAt: now + 60_000 });
      await worker.settle(park('past', now - 60_000));
      expect(await worker.claim({ limit: 0 })).toMatchObject({ claimed: [], nextDueAt: now - 60_000 });
      expect((await harness.get('past')).owner).toBeNull();
    });

    it('take only instances of the given workflows, and tell nothing of the others', async () => {
      const harness = await bench.harness();
      const all = await harness.worker({ workflowNames: ['order', 'refund', 'Order'] });
      const now = await all.now();
      await all.start('o', { workflowName: 'order' });
      await all.start('r', { workflowName: 'refund' });
      await all.start('O', { workflowName: 'Order' });
      await all.settle(park('o', now - 1), park('r', now - 1000), park('O', now - 1000));
      const orders = await harness.worker({ workflowNames: ['order'] });
      expect(await orders.claim()).toMatchObject({ claimed: [{ instanceId: 'o' }], nextDueAt: null });
      const others = await harness.worker({ workflowNames: ['nothing', 'refund'] });
      expect(await others.claim({ limit: 0 })).toMatchObject({ nextDueAt: now - 1000 });
      expect(await others.claimIds()).toEqual(['r']);
      expect((await harness.get('O')).owner).toBeNull();
    });

    it('of no workflows are empty', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one', { owned: false });
      expect(await worker.claim({ workflowNames: [] })).toMatchObject({ claimed: [], attention: [], nextDueAt: null });
    });

    it('are not held up by any number of foreign instances that are due for longer', async () => {
      const harness = await bench.harness();
      const foreign = await harness.worker({ workflowNames: ['foreign'] });
      const now = await foreign.now();
      const ids = Array.from({ length: 300 }, (_, index) => `foreign-${index}`);
      await foreign.start(ids, { workflowName: 'foreign' });
      await foreign.settle(...ids.map((id) => park(id, now - 60_000)));
      const worker = await harness.worker();
      await worker.start('mine', { owned: false });
      expect(await worker.claimIds({ limit: 1 })).toEqual(['mine']);
      expect(await worker.claim({ limit: 10 })).toMatchObject({ claimed: [], nextDueAt: null });
    });

    it('tell the attention of instances owned before, and leave it as it is', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker({ workflowNames: ['order', 'refund'] }), await harness.worker()];
      await worker.start(['quiet', 'mail', 'cancel']);
      await worker.start('refund', { workflowName: 'refund' });
      await other.start('foreign');
      await worker.start('waiting', { owned: false });
      for (const targetInstanceId of ['mail', 'foreign', 'waiting', 'refund']) await harness.deliver({ targetInstanceId });
      await harness.cancel('cancel');
      const first = await worker.claim({ workflowNames: ['order'] });
      expect(first.claimed.map((run) => run.instanceId)).toEqual(['waiting']);
      expect([...first.attention].sort()).toEqual(['cancel', 'mail', 'refund']);
      expect([...(await worker.claim({ limit: 0 })).attention].sort()).toEqual(['cancel', 'mail', 'refund']);
      await worker.signals(['mail', 'refund']);
      expect((await worker.claim()).attention).toEqual(['cancel']);
    });

    it('tell of at most 1,000 instances with attention', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 1100 }, (_, index) => `listener-${index}`);
      await worker.commit({
        starts: ids.map((id) => newInstance(id)),
        subscriptions: ids.map((instanceId) => ({ instanceId, topic: 'event:paid' })),
      });
      expect((await harness.deliver()).receivers).toBe(1100);
      const { attention } = await worker.claim({ limit: 0 });
      expect(attention).toHaveLength(1000);
      await worker.signals(attention);
      const rest = (await worker.claim({ limit: 0 })).attention;
      expect([...attention, ...rest].sort()).toEqual([...ids].sort());
    });

    it('of ten workers at once get each due instance once, each worker by due time', async () => {
      const harness = await bench.harness();
      const starter = await harness.worker();
      const count = bench.options.claimRaceInstances;
      const now = await starter.now();
      const ids = Array.from({ length: count }, (_, index) => `due-${index}`);
      await starter.start(ids);
      await starter.settle(...ids.map((id, index) => park(id, now - count + index)));
      const workers = await Promise.all(Array.from({ length: 10 }, () => harness.worker()));
      const shares = await Promise.all(
        workers.map(async (worker) => {
          const share: string[] = [];
          // A claim may find nothing while others hold what is left, and yet not be the last: ask until nothing is due.
          for (let round = 0; round < 20 * count; round++) {
            const { claimed, nextDueAt } = await worker.claim({ limit: 7 });
            share.push(...claimed.map((run) => run.instanceId));
            const places = claimed.map((run) => ids.indexOf(run.instanceId));
            expect(places).toEqual([...places].sort((a, b) => a - b));
            if (claimed.length === 0 && nextDueAt === null) return share;
          }
          throw new Error('something stayed due that could not be claimed');
        }),
      );
      expect(shares.flat()).toHaveLength(count);
      expect([...shares.flat()].sort()).toEqual([...ids].sort());
      for (const [index, worker] of workers.entries()) {
        for (const id of shares[index]!.slice(0, 3)) expect((await harness.get(id)).owner).toBe(worker.workerId);
      }
    });

    it('of one worker, several at once, get each due instance once', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 60 }, (_, index) => `due-${index}`);
      await worker.start(ids, { owned: false });
      const shares = await Promise.all(Array.from({ length: 6 }, () => worker.claimIds({ limit: 20 })));
      const rest = await worker.claimIds();
      expect([...shares.flat(), ...rest].sort()).toEqual([...ids].sort());
    });
  });
}
