// Cases: how a run leaves the process that owned it.
import { describe, expect, it } from 'vitest';
import type { WaitingStatus } from '../ports/index.js';
import type { Bench } from './storage-harness.js';
import { cancelled, complete, fail, newInstance, ofClaim, park, release, stall } from './test-worker.js';

const hour = 3_600_000;

export function settlementCases(bench: Bench): void {
  describe('settlements', () => {
    it.each<WaitingStatus>(['waiting_for_timer', 'waiting_for_event', 'waiting_for_retry'])(
      'park an instance as %s until its time',
      async (status) => {
        const harness = await bench.harness();
        const worker = await harness.worker();
        await worker.start('one');
        const wakeAt = (await worker.now()) + hour;
        expect((await worker.settle({ type: 'park', instanceId: 'one', claim: 1, status, wakeAt })).refused).toEqual([]);
        expect(await harness.get('one')).toMatchObject({ status, owner: null, wakeAt, finishedAt: null });
        expect(await worker.claim()).toMatchObject({ claimed: [], nextDueAt: wakeAt });
      },
    );

    it('park without a time limit: nothing but a signal wakes it', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(park('one'));
      expect(await harness.get('one')).toMatchObject({ status: 'waiting_for_event', owner: null, wakeAt: null });
      expect(await worker.claim()).toMatchObject({ claimed: [], nextDueAt: null });
    });

    it('park until a time that has passed: claimable at once', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(park('one', (await worker.now()) - 1000));
      expect(await worker.claimOne('one')).toMatchObject({ claim: 2 });
    });

    it('park until a time: claimable when it has come, not before', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const wakeAt = (await worker.now()) + 300;
      await worker.settle(park('one', wakeAt));
      const early = await worker.claim();
      if (early.now < wakeAt) expect(early.claimed).toEqual([]);
      await harness.pass(310);
      const late = early.claimed.length > 0 ? early : await worker.claim();
      expect(late.claimed.map((run) => run.instanceId)).toEqual(['one']);
      expect(late.now).toBeGreaterThanOrEqual(wakeAt);
    });

    it('release at once', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start('one');
      const { now } = await worker.settle(release('one'));
      const record = await harness.get('one');
      expect(record).toMatchObject({ status: 'pending', owner: null });
      expect(record.wakeAt!).toBeLessThanOrEqual(now);
      expect(await other.claimIds()).toEqual(['one']);
    });

    it('release for later', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const wakeAt = (await worker.now()) + hour;
      await worker.settle(release('one', wakeAt));
      expect(await harness.get('one')).toMatchObject({ owner: null, wakeAt });
      expect(await worker.claim()).toMatchObject({ claimed: [], nextDueAt: wakeAt });
    });

    it('stall keeps the error in view until the instance is claimed again', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const wakeAt = (await worker.now()) + hour;
      await worker.settle(stall('one', wakeAt, '{"message":"other code"}'));
      expect(await harness.get('one')).toMatchObject({
        status: 'stalled',
        error: '{"message":"other code"}',
        owner: null,
        wakeAt,
        finishedAt: null,
      });
      await worker.register();
      expect(await worker.claimIds()).toEqual(['one']);
      expect(await harness.get('one')).toMatchObject({ status: 'running', error: null, owner: worker.workerId });
    });

    it('a stalled instance is tried again when its time has come', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(stall('one', (await worker.now()) - 1));
      expect(await worker.claimIds()).toEqual(['one']);
    });

    it('finish with an output', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      const { now } = await worker.settle(complete('one', '{"total":3}'));
      const record = await harness.get('one');
      expect(record).toMatchObject({ status: 'completed', output: '{"total":3}', error: null, owner: null, wakeAt: null });
      expect(record.finishedAt).toBeGreaterThanOrEqual(record.createdAt);
      expect(record.finishedAt).toBeLessThanOrEqual(now);
    });

    it('finish with an error, without an output, and as cancelled', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['failed', 'void', 'cancelled']);
      await worker.settle(fail('failed', '{"name":"Declined"}'), complete('void', null), cancelled('cancelled'));
      expect(await harness.get('failed')).toMatchObject({ status: 'failed', output: null, error: '{"name":"Declined"}' });
      expect(await harness.get('void')).toMatchObject({ status: 'completed', output: null, error: null });
      expect(await harness.get('cancelled')).toMatchObject({ status: 'cancelled', output: null, error: null });
    });

    it('an ended instance is never claimed, stalled or not, by whoever registers', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['a', 'b', 'c']);
      await worker.settle(complete('a'), fail('b'), cancelled('c'));
      await worker.retire();
      const other = await harness.worker();
      expect(await other.claim()).toMatchObject({ claimed: [], attention: [], nextDueAt: null });
    });

    it('tells those that have ended of many, and leaves out the rest', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['a', 'b', 'c', 'running']);
      await harness.cancel('c', 'too expensive');
      await worker.settle(complete('a', '1'), fail('b', '"no"'), cancelled('c'));
      const storage = await harness.storage();
      const finished = await storage.instances.finished(['a', 'running', 'unknown', 'b', 'c']);
      expect([...finished].sort((x, y) => (x.instanceId < y.instanceId ? -1 : 1))).toEqual([
        { instanceId: 'a', status: 'completed', output: '1', error: null, cancelReason: null, continuedAs: null },
        { instanceId: 'b', status: 'failed', output: null, error: '"no"', cancelReason: null, continuedAs: null },
        { instanceId: 'c', status: 'cancelled', output: null, error: null, cancelReason: 'too expensive', continuedAs: null },
      ]);
      expect(await storage.instances.finished([])).toEqual([]);
    });

    it('of an instance that another worker owns count as done and change nothing', async () => {
      const harness = await bench.harness();
      const [worker, owner] = [await harness.worker(), await harness.worker()];
      await owner.start(['a', 'b', 'c', 'd', 'free']);
      await owner.settle(park('free'));
      const wakeAt = (await owner.now()) + hour;
      const result = await worker.settle(park('a'), release('b'), stall('c', wakeAt), complete('d'), complete('free'));
      expect(result.refused).toEqual([]);
      for (const id of ['a', 'b', 'c', 'd']) {
        expect(await harness.get(id)).toMatchObject({ status: 'running', owner: owner.workerId, error: null, output: null });
      }
      expect(await harness.get('free')).toMatchObject({ status: 'waiting_for_event', owner: null, output: null });
    });

    it.each([
      { which: 'an earlier', claim: 1 },
      { which: 'a later', claim: 3 },
    ])('that name $which claim count as done and change nothing', async ({ claim }) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = ['a', 'b', 'c', 'd', 'e'];
      await worker.start(ids);
      await worker.settle(...ids.map((id) => release(id)));
      expect((await worker.claim()).claimed.map((run) => run.claim)).toEqual([2, 2, 2, 2, 2]);
      for (const id of ids) {
        await harness.deliver({ targetInstanceId: id });
        await harness.cancel(id);
      }
      const look = () =>
        Promise.all(
          ids.map(async (instanceId) => [
            await harness.get(instanceId),
            await worker.storage.runs.mail({ instanceId, topic: 'event:paid', afterMailId: null, limit: 10 }),
          ]),
        );
      const before = await look();
      const settlements = [park('a'), release('b'), stall('c', await worker.now()), complete('d'), cancelled('e')];
      const result = await worker.settle(...settlements.map((settlement) => ofClaim(claim, settlement)));
      expect(result).toMatchObject({ conflicts: [], refused: [] });
      expect(await look()).toEqual(before);
      // Of the latest claim they are judged.
      const { refused } = await worker.settle(...settlements.map((settlement) => ofClaim(2, settlement)));
      expect([...refused].sort()).toEqual(['a', 'd']);
      const owners = (await Promise.all(ids.map((id) => harness.get(id)))).map(({ owner }) => owner);
      expect(owners).toEqual([worker.workerId, null, null, worker.workerId, null]);
    });

    it('do not end a run that is started in the same batch when they name a later claim than its first', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const result = await worker.commit({
        starts: [newInstance('a'), newInstance('b')],
        settlements: [ofClaim(2, complete('a')), ofClaim(2, park('b'))],
      });
      expect(result).toMatchObject({ conflicts: [], refused: [] });
      for (const id of ['a', 'b']) {
        expect(await harness.get(id)).toMatchObject({ status: 'running', owner: worker.workerId, output: null });
      }
    });

    it('end a run that was started in the same batch', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const result = await worker.commit({
        starts: [newInstance('a'), newInstance('b'), newInstance('c')],
        settlements: [complete('a', '1'), park('b'), release('c')],
      });
      expect(result).toMatchObject({ conflicts: [], refused: [] });
      expect(await harness.get('a')).toMatchObject({ status: 'completed', output: '1' });
      expect(await harness.get('b')).toMatchObject({ status: 'waiting_for_event', wakeAt: null });
      expect(await worker.claimIds()).toEqual(['c']);
    });

    it('many of every type in one batch', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 60 }, (_, index) => `bulk-${index}`);
      await worker.start(ids);
      const wakeAt = (await worker.now()) + hour;
      const types = [park, release, (id: string) => stall(id, wakeAt), complete, fail, (id: string) => park(id, wakeAt)];
      await worker.settle(...ids.map((id, index) => types[index % types.length]!(id)));
      const records = await Promise.all(ids.map((id) => harness.get(id)));
      const expected = ['waiting_for_event', 'pending', 'stalled', 'completed', 'failed', 'waiting_for_timer'];
      expect(records.map((record) => record.status)).toEqual(ids.map((_, index) => expected[index % expected.length]));
    });
  });
}
