// Cases: what an activity sends through its transaction goes out with its result, or not at all.
import { describe, expect, it, type TestContext } from 'vitest';
import { LeaseLostError, type Effect, type PendingProgress } from '../ports/index.js';
import { newOutboxEvent } from './effect-cases.js';
import { mailOf, published, step, stepOf, topic, type EffectFacts } from './message-stage.js';
import type { Bench } from './storage-harness.js';
import { newEntry, newInstance } from './test-worker.js';
import { requireBlocking, transactionStage, type TransactionStage } from './transaction-stage.js';

export function transactionEffectCases(bench: Bench): void {
  describe('what an activity sends with its transaction', () => {
    it('goes out when it commits, and not before', async (context) => {
      const stage = await subscribedStage(bench, context);
      const { worker, probe, begin } = stage;
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'x');
      await expectSent(stage, []);
      await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 1), effects: sending(1) });
      await expectSent(stage, [1]);
      expect(await probe.read('row')).toBe('x');
      // Nor does the same come once more by a commit of progress.
      await worker.commit({ entries: [newEntry('one', 1)], effects: sending(1) });
      await expectSent(stage, [1]);
    });

    it('says what of it was for nobody, and to whom messages of queues came', async (context) => {
      const stage = await subscribedStage(bench, context);
      const { worker, harness } = stage;
      const jobs = { topic: 'channel:transacted', mode: 'competing' } as const;
      await worker.storage.messages.fixMode(jobs);
      await worker.commit({
        starts: ['parked', 'running'].map((id) => newInstance(id)),
        subscriptions: ['one', 'parked', 'running'].map((instanceId) => ({ instanceId, ...jobs })),
      });
      for (const id of ['one', 'parked']) await step(worker, id, { type: 'seek', topic: jobs.topic });
      await worker.settle({ type: 'park', instanceId: 'parked', claim: 1, status: 'waiting_for_message', wakeAt: null });
      await harness.deliver({ topic: jobs.topic, data: '"queued"', messageId: 'queued' });
      const transaction = await stage.begin();
      const effects = withSeq(900_001, [
        { type: 'unseek', topic: jobs.topic },
        published('lost', { messageId: 'lost', to: { type: 'instance', instanceId: 'nobody' } }),
      ]);
      const news = await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 900_001), effects });
      expect(news.undelivered).toEqual([{ messageId: 'lost', instanceId: 'nobody' }]);
      expect(news.wakeups).toEqual([
        { kind: 'channel_message', channelName: 'transacted', messageId: 'queued', targetInstanceId: 'parked' },
      ]);
      expect(news.attention).toEqual([]);
    });

    it('is undone with it', async (context) => {
      const stage = await subscribedStage(bench, context);
      const transaction = await stage.begin();
      await transaction.rollback();
      await expectSent(stage, []);
      expect(await stage.worker.history('one')).toEqual([]);
    });

    it('does not go out when its worker is not alive', async (context) => {
      const stage = await subscribedStage(bench, context);
      const transaction = await stage.begin();
      const { workerId } = await stage.harness.unregistered();
      const entry = newEntry('one', 1);
      await expect(transaction.commit({ workerId, entry, effects: sending(1) })).rejects.toBeInstanceOf(LeaseLostError);
      await transaction.rollback();
      await expectSent(stage, []);
    });

    it('does not go out when its entry is there already', async (context) => {
      const stage = await subscribedStage(bench, context);
      const { worker } = stage;
      await worker.commit({ entries: [newEntry('one', 1)] });
      const transaction = await stage.begin();
      await expect(
        transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 1), effects: sending(1) }),
      ).rejects.toThrow();
      await transaction.rollback();
      await expectSent(stage, []);
    });

    it('wakes its receivers', async (context) => {
      const stage = await subscribedStage(bench, context);
      const { worker } = stage;
      await worker.settle({ type: 'park', instanceId: 'receiver', claim: 1, status: 'waiting_for_message', wakeAt: null });
      const transaction = await stage.begin();
      await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 1), effects: sending(1) });
      expect(await worker.claimOne('receiver')).toMatchObject({ mail: [{ data: '1' }] });
    });

    it.for(['first', 'second'])(
      'comes after what its instance did before; that comes through a commit of progress as well, this one %s, and is there once',
      async (order, context) => {
        const stage = await subscribedStage(bench, context);
        requireBlocking(stage, context);
        const { worker, harness } = stage;
        const before: PendingProgress = {
          starts: [
            newInstance('child', { owned: false, parent: { instanceId: 'one', conflict: { messageId: 'c', data: '0' } } }),
          ],
          ...merge(stepOf('one', [published('before'), { type: 'join', group: 'g' }], 1), stepOf('one', [published('also')], 2)),
          subscriptions: [{ instanceId: 'one', topic: 'event:later', seq: 2 }],
          takenMail: [],
        };
        const other = structuredClone(before);
        if (order === 'first') await worker.commit(other);
        const transaction = await stage.begin();
        await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 3), effects: sending(3), before: [before] });
        if (order === 'second') expect(await worker.commit(other)).toMatchObject({ conflicts: [] });
        await expectSent(stage, [3], ['before', 'also', 3]);
        expect((await worker.history('one')).map(({ seq }) => seq)).toEqual([1, 2, 3]);
        expect(await worker.storage.messages.members('g')).toEqual(['one']);
        expect(await harness.get('child')).toMatchObject({ status: 'pending', parentId: 'one' });
        expect((await harness.deliver({ topic: 'event:later' })).receivers).toBe(1);
      },
    );

    it('comes after what its instance did before, piece by piece: nobody gets what he sent before he joined or after he left', async (context) => {
      const stage = await subscribedStage(bench, context);
      requireBlocking(stage, context);
      const { worker, harness } = stage;
      const toGroup = (data: string) => published(data, { to: { type: 'group', group: 'g' } });
      const piece = (seq: number, ...effects: EffectFacts[]): PendingProgress => ({
        ...stepOf('one', effects, seq),
        starts: [],
        subscriptions: [],
        takenMail: [],
      });
      const joining = await stage.begin();
      await joining.commit({
        workerId: worker.workerId,
        entry: newEntry('one', 3),
        effects: withSeq(3, [toGroup('a member')]),
        before: [piece(1, toGroup('too early')), piece(2, { type: 'join', group: 'g' })],
      });
      expect(await mailOf(harness, 'one')).toEqual(['a member']);
      const leaving = await stage.begin();
      await leaving.commit({
        workerId: worker.workerId,
        entry: newEntry('one', 5),
        effects: withSeq(5, [toGroup('too late')]),
        before: [piece(4, { type: 'leave', group: 'g' }), { ...piece(5), entries: [] }],
      });
      expect(await mailOf(harness, 'one')).toEqual(['a member']);
      expect((await worker.history('one')).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
      expect(await worker.storage.messages.members('g')).toEqual([]);
    });

    it('is sent while others send the same people something: all of it arrives', async (context) => {
      const stage = await subscribedStage(bench, context);
      const { worker, harness, begin } = stage;
      await worker.start('two');
      const count = 15;
      for (let round = 1; round <= count; round++) {
        const transaction = await begin();
        const sent = step(worker, 'two', published(['two', round]));
        const effects = withSeq(round, [published(['one', round])]);
        await Promise.all([sent, transaction.commit({ workerId: worker.workerId, entry: newEntry('one', round), effects })]);
      }
      const mail = (await mailOf(harness, 'receiver')) as [string, number][];
      for (const from of ['one', 'two']) {
        expect(mail.filter(([sender]) => sender === from).map(([, n]) => n)).toEqual(
          Array.from({ length: count }, (_, n) => n + 1),
        );
      }
    });
  });
}

async function subscribedStage(bench: Bench, context: TestContext): Promise<TransactionStage> {
  const stage = await transactionStage(bench, context);
  await stage.worker.storage.messages.fixMode({ topic, mode: 'broadcast' });
  const subscriptions = [{ instanceId: 'receiver', topic, mode: 'broadcast' as const }];
  await stage.worker.commit({ starts: [newInstance('receiver')], subscriptions });
  return stage;
}

/** Of the entry of that number: a message and an event, both of which say it. */
function sending(seq: number): readonly Effect[] {
  return withSeq(seq, [published(seq), { type: 'event', event: newOutboxEvent(`event-${seq}`) }]);
}

function withSeq(seq: number, effects: readonly EffectFacts[]): readonly Effect[] {
  return stepOf('one', effects, seq).effects;
}

function merge(...parts: readonly ReturnType<typeof stepOf>[]): ReturnType<typeof stepOf> {
  return { entries: parts.flatMap(({ entries }) => entries), effects: parts.flatMap(({ effects }) => effects) };
}

async function expectSent(
  { harness }: TransactionStage,
  events: readonly number[],
  messages: readonly unknown[] = events,
): Promise<void> {
  const { outbox } = await harness.storage();
  const all = { status: undefined, eventIds: undefined, type: undefined, before: undefined, limit: 100, after: undefined };
  expect((await outbox.list(all)).map(({ eventId }) => eventId)).toEqual(events.map((seq) => `event-${seq}`));
  expect(await mailOf(harness, 'receiver')).toEqual(messages);
}
