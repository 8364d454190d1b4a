// Cases: an instance begins anew under its id; what was is kept under an id of its own.
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../ports/index.js';
import { drain, mailOf, publish, published, startSubscribed, step, takenMail, topic } from './message-stage.js';
import type { Bench } from './storage-harness.js';
import { cancelled, complete, newEntry, newInstance, ofClaim, park } from './test-worker.js';

type Recur = Settlement & { readonly type: 'recur' };

export function recurrenceCases(bench: Bench): void {
  describe('an instance that recurs', () => {
    it.each([true, false])('begins anew under its id; what was is a row of its own (goes on here: %s)', async (owned) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('parent');
      const conflict = { messageId: 'c', data: '0' };
      const start = newInstance('one', { input: '"first"', parent: { instanceId: 'parent', conflict } });
      await worker.commit({ starts: [start], entries: [newEntry('one', 1), newEntry('one', 2)] });
      const before = await harness.get('one');
      await harness.pass(5);
      expect(await worker.settle(recur('one', { owned }))).toMatchObject({ conflicts: [], refused: [] });

      const archive = await harness.get('one~1');
      expect(archive).toEqual({
        ...before,
        instanceId: 'one~1',
        status: 'recurred',
        owner: null,
        continuedAs: 'one',
        finishedAt: archive.finishedAt,
      });
      expect(archive.finishedAt!).toBeGreaterThan(before.createdAt);
      const after = await harness.get('one');
      expect(after).toMatchObject({
        workflowName: 'order',
        status: owned ? 'running' : 'pending',
        input: '"next"',
        output: null,
        error: null,
        owner: owned ? worker.workerId : null,
        parentId: 'parent',
        continuedAs: null,
        continuedFrom: 'one~1',
        finishedAt: null,
      });
      expect(after.createdAt).toBeGreaterThan(before.createdAt);
      expect(after.wakeAt === null).toBe(owned);
      expect(await (await harness.storage()).instances.finished(['one', 'one~1'])).toEqual([
        { instanceId: 'one~1', status: 'recurred', output: null, error: null, cancelReason: null, continuedAs: 'one' },
      ]);
    });

    it.each([true, false])('hands out its own part of the history (goes on here: %s)', async (owned) => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one')], entries: [newEntry('one', 1), newEntry('one', 3)] });
      await worker.settle(recur('one', { owned, carried: newEntry('one', 5, { kind: 'carried_over', data: '[]' }) }));
      // A claim that goes on here was counted, so that the next one has the number after it.
      if (owned) await worker.settle(ofClaim(2, park('one', await worker.now())));
      const run = await worker.claimOne('one');
      expect(run).toMatchObject({
        claim: owned ? 3 : 2,
        input: '"next"',
        generation: 1,
        historyStart: 4,
        historyComplete: true,
        isInputChecked: true,
        history: [{ seq: 5, kind: 'carried_over', data: '[]' }],
      });
      await worker.commit({ entries: [newEntry('one', 6), newEntry('one', 7)] });
      expect((await worker.storage.runs.history({ instanceId: 'one', afterSeq: 5, limit: 9 })).map(({ seq }) => seq)).toEqual([
        6, 7,
      ]);
      const { instances } = await harness.storage();
      const read = async (instanceId: string, afterSeq: number, limit: number): Promise<unknown> => {
        const entries = await instances.history({ instanceId, afterSeq, limit });
        return entries.map((entry) => `${entry.instanceId} ${entry.seq}`);
      };
      expect(await read('one', 0, 9)).toEqual(['one 5', 'one 6', 'one 7']);
      expect(await read('one', 5, 1)).toEqual(['one 6']);
      expect(await read('one~1', 0, 9)).toEqual(['one~1 1', 'one~1 3']);
      expect(await read('one~1', 1, 9)).toEqual(['one~1 3']);
      expect(await read('one~1', 0, 1)).toEqual(['one~1 1']);
      expect(await read('none', 0, 9)).toEqual([]);
    });

    it('does so once, also when its answer was lost', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      for (const owned of [true, false]) {
        const id = owned ? 'here' : 'anywhere';
        await worker.start(id);
        const settlement = recur(id, { owned, archiveId: `${id}~1` });
        for (let round = 0; round < 3; round++) {
          expect(await worker.settle(structuredClone(settlement))).toMatchObject({ refused: [] });
          expect(await harness.get(id)).toMatchObject({ status: owned ? 'running' : 'pending', continuedFrom: `${id}~1` });
        }
      }
      expect(await worker.claimOne('anywhere')).toMatchObject({ claim: 2, generation: 1 });
      await worker.settle(recur('anywhere', { owned: false, archiveId: 'anywhere~1' }));
      expect(await harness.get('anywhere')).toMatchObject({ status: 'running' });
    });

    it('does so again and again, each part with its own history and the id of the one before', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one', { input: '0' })], entries: [newEntry('one', 1)] });
      for (let n = 1; n <= 3; n++) {
        const carried = newEntry('one', n * 10, { kind: 'carried_over' });
        await worker.settle(ofClaim(n, recur('one', { owned: true, archiveId: `one~${n}`, input: String(n), carried })));
        await worker.commit({ entries: [newEntry('one', n * 10 + 1)] });
      }
      await worker.settle(ofClaim(4, complete('one', '"end"')));
      const { instances } = await harness.storage();
      const parts = await Promise.all(
        ['one~1', 'one~2', 'one~3', 'one'].map(async (instanceId) => {
          const { input, continuedFrom, continuedAs, status } = await harness.get(instanceId);
          const history = await instances.history({ instanceId, afterSeq: 0, limit: 9 });
          return [input, continuedFrom, continuedAs, status, history.map(({ seq }) => seq)];
        }),
      );
      expect(parts).toEqual([
        ['0', null, 'one', 'recurred', [1]],
        ['1', 'one~1', 'one', 'recurred', [10, 11]],
        ['2', 'one~2', 'one', 'recurred', [20, 21]],
        ['3', 'one~3', null, 'completed', [30, 31]],
      ]);
    });

    it('finds another id for what was when that one is taken', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({
        starts: [newInstance('one'), newInstance('one~1', { input: '"mine"' })],
        entries: [newEntry('one', 1)],
      });
      expect(await worker.settle(recur('one'))).toMatchObject({ refused: [] });
      expect(await harness.get('one~1')).toMatchObject({ status: 'running', input: '"mine"', continuedAs: null });
      const { continuedFrom } = await harness.get('one');
      expect(continuedFrom).not.toBe('one~1');
      expect(continuedFrom!.startsWith('one~1')).toBe(true);
      expect(await harness.get(continuedFrom!)).toMatchObject({ status: 'recurred', continuedAs: 'one' });
      const history = await worker.storage.instances.history({ instanceId: continuedFrom!, afterSeq: 0, limit: 9 });
      expect(history.map(({ seq }) => seq)).toEqual([1]);
    });

    it('keeps its mail, its groups, and the subscriptions that it says', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await startSubscribed(worker, ['one'], { mode: 'broadcast' });
      const filter = { path: ['order'], equals: 1 };
      await worker.commit({
        subscriptions: [
          { instanceId: 'one', topic: 'event:all' },
          { instanceId: 'one', topic: 'event:some', filter },
          { instanceId: 'one', topic: 'event:some', filter: { ...filter, equals: 2 } },
          { instanceId: 'one', topic: 'event:gone' },
          { instanceId: 'one', topic: 'event:mixed' },
          { instanceId: 'one', topic: 'event:mixed', filter },
        ],
      });
      await step(worker, 'one', { type: 'join', group: 'g' });
      await publish(harness, 'unread');
      await harness.deliver({ topic: 'event:gone', data: '"unread"' });
      const keep = [{ topic }, { topic: 'event:all' }, { topic: 'event:some', filter }, { topic: 'event:mixed', filter }];
      await worker.settle(recur('one', { owned: true, keep }));
      expect(await mailOf(harness, 'one')).toEqual(['unread']);
      expect(await mailOf(harness, 'one', 'event:gone')).toEqual(['unread']);
      const receivers = async (of: string, order: number): Promise<number> =>
        (await publish(harness, { order }, { topic: of })).receivers;
      expect(await receivers(topic, 0)).toBe(1);
      expect(await receivers('event:all', 0)).toBe(1);
      expect(await receivers('event:some', 1)).toBe(1);
      expect(await receivers('event:some', 2)).toBe(0);
      expect(await receivers('event:gone', 0)).toBe(0);
      expect([await receivers('event:mixed', 1), await receivers('event:mixed', 2)]).toEqual([1, 0]);
      expect(await worker.storage.messages.members('g')).toEqual(['one']);
      expect(await mailOf(harness, 'one~1')).toEqual([]);
    });

    it('does not lose what comes at that moment', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await startSubscribed(worker, ['one'], { mode: 'broadcast' });
      const { runs } = worker.storage;
      for (let round = 0, claim = 1; round < 30; round++) {
        const owned = round % 2 === 0;
        const carried = newEntry('one', round + 1, { kind: 'carried_over' });
        const settlement = { ...recur('one', { owned, archiveId: `one~${round}`, carried, keep: [{ topic }] }), claim };
        const [delivered, settled] = await Promise.all([publish(harness, round), worker.settle(settlement)]);
        expect([delivered.receivers, settled.refused]).toEqual([1, []]);
        if (owned) expect((await worker.settle(ofClaim((claim += 1), park('one')))).refused).toEqual(['one']);
        else ({ claim } = await worker.claimOne('one'));
        const mail = await runs.mail({ instanceId: 'one', topic, afterMailId: null, limit: 9 });
        expect(mail.map(({ data }) => Number(data))).toEqual([round]);
        await worker.commit({ takenMail: mail.map(({ mailId }) => ({ instanceId: 'one', mailId })) });
        await worker.signals('one');
      }
    });

    it('seeks no longer, and gives back what it got by that', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await startSubscribed(worker, ['one', 'seeker', 'two'], { mode: 'competing' });
      for (const id of ['one', 'seeker', 'two']) await step(worker, id, { type: 'seek', topic });
      await publish(harness, 'queued');
      await publish(harness, 'sent', { to: { type: 'instance', instanceId: 'one' } });
      await worker.settle(recur('one', { owned: true, keep: [{ topic }] }));
      expect(await mailOf(harness, 'one')).toEqual(['sent']);
      expect(await mailOf(harness, 'seeker')).toEqual(['queued']);
      await worker.settle(recur('two', { owned: true, archiveId: 'two~1', keep: [{ topic }] }));
      expect((await publish(harness, 'later')).receivers).toBe(0);
      expect(await drain(harness, worker, 'seeker')).toEqual(['queued', 'later']);
      // Still subscribed.
      await worker.commit({ takenMail: await takenMail(harness, 'one') });
      await step(worker, 'one', { type: 'seek', topic });
      expect((await publish(harness, 'last')).receivers).toBe(1);
      expect(await mailOf(harness, 'one')).toEqual(['last']);
    });

    it('is refused when it is to be cancelled, and nothing of it is done', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.commit({ starts: [newInstance('one')], subscriptions: [{ instanceId: 'one', topic: 'event:paid' }] });
      await harness.cancel('one', 'no');
      const before = await harness.get('one');
      expect(await worker.settle(recur('one', { owned: true }))).toMatchObject({ refused: ['one'] });
      expect(await harness.get('one')).toEqual(before);
      expect(await (await harness.storage()).instances.get('one~1')).toBeUndefined();
      expect(await worker.history('one')).toEqual([]);
      expect((await harness.deliver()).receivers).toBe(1);
      expect((await worker.settle(cancelled('one'))).refused).toEqual([]);
    });

    it('or is cancelled: one of the two', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      for (let round = 0; round < 30; round++) {
        const id = `one-${round}`;
        await worker.start(id);
        const settlement = recur(id, { owned: true, archiveId: `${id}~1` });
        const [{ outcome }, { refused }] = await Promise.all([harness.cancel(id), worker.settle(settlement)]);
        expect(outcome).toBe('requested');
        const claim = refused.length === 0 ? 2 : 1;
        expect((await worker.settle(ofClaim(claim, complete(id)))).refused).toEqual([id]);
        expect((await worker.settle(ofClaim(claim, cancelled(id)))).refused).toEqual([]);
        expect(await harness.get(id)).toMatchObject({ status: 'cancelled', cancelRequested: true });
      }
    });

    it('leaves parts that can be looked at, and nothing more', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one');
      await worker.settle(recur('one', { owned: false }));
      expect(await harness.cancel('one~1')).toMatchObject({ outcome: 'finished', status: 'recurred' });
      expect((await harness.deliver({ targetInstanceId: 'one~1' })).outcome).toBe('finished');
      expect((await worker.start('one~1')).conflicts).toEqual(['one~1']);
      expect((await worker.start('one')).conflicts).toEqual(['one']);
      expect(await worker.claimIds()).toEqual(['one']);
      const { instances } = await harness.storage();
      const of = { status: ['recurred'] as const, workflowName: undefined, instanceId: undefined, startedAfter: undefined };
      const listed = await instances.list({ ...of, startedBefore: undefined, input: [], limit: 9, after: undefined });
      expect(listed).toEqual([await harness.get('one~1')]);
    });

    it('lets its start come again, which is no conflict', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const start = newInstance('one');
      await worker.commit({ starts: [start] });
      await worker.settle(recur('one', { owned: true }));
      expect((await worker.commit({ starts: [start] })).conflicts).toEqual([]);
      expect(await harness.get('one')).toMatchObject({ input: '"next"', continuedFrom: 'one~1' });
    });

    it('keeps the entries that come again from the part before', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const batch = worker.batch({ starts: [newInstance('one')], entries: [newEntry('one', 1)] });
      await worker.storage.runs.commit(batch);
      await worker.settle(recur('one', { owned: true }));
      await step(worker, 'one', published('x'));
      await worker.storage.runs.commit(batch);
      const history = await worker.storage.instances.history({ instanceId: 'one~1', afterSeq: 0, limit: 9 });
      expect(history.map(({ seq }) => seq)).toEqual([1]);
      expect((await worker.storage.instances.history({ instanceId: 'one', afterSeq: 0, limit: 1 }))[0]?.seq).toBe(4);
    });
  });
}

/** At the end of the first claim; its history goes up to 3 at most. */
function recur(instanceId: string, more: Partial<Recur> = {}): Recur {
  const carried = newEntry(instanceId, 4, { kind: 'carried_over' });
  return { type: 'recur', instanceId, claim: 1, archiveId: 'one~1', input: '"next"', carried, keep: [], owned: true, ...more };
}
