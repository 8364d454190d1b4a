// Cases: an activity's transaction brings along what its instance recorded before and nobody knows to be durable yet.
import { describe, expect, it, type TestContext } from 'vitest';
import { LeaseLostError, type PendingProgress } from '../ports/index.js';
import type { Bench } from './storage-harness.js';
import { newEntry } from './test-worker.js';
import { requireBlocking, transactionStage, type TransactionStage } from './transaction-stage.js';

export function pendingProgressCases(bench: Bench): void {
  describe('progress that is pending when an activity transaction commits', () => {
    it('becomes durable with it: entries, subscriptions and taken mail', async (context) => {
      const stage = await blockingStage(bench, context);
      const { harness, worker, probe, begin } = stage;
      const before = await pending(stage);
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'x');
      await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 3), before: [before] });
      expect((await worker.history('one')).map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(await probe.read('row')).toBe('x');
      expect((await worker.signals('one'))[0]?.mail.map(({ data }) => data)).toEqual(['"second"']);
      expect(await harness.deliver({ topic: 'event:pending' })).toMatchObject({ receivers: 1 });
    });

    it('is undone with it', async (context) => {
      const stage = await blockingStage(bench, context);
      await pending(stage);
      const transaction = await stage.begin();
      await transaction.rollback();
      await expectNothing(stage);
    });

    it('is not written by a worker that is not alive', async (context) => {
      const stage = await blockingStage(bench, context);
      const before = await pending(stage);
      const transaction = await stage.begin();
      const { workerId } = await stage.harness.unregistered();
      await expect(transaction.commit({ workerId, entry: newEntry('one', 3), before: [before] })).rejects.toBeInstanceOf(
        LeaseLostError,
      );
      await transaction.rollback();
      await expectNothing(stage);
    });

    it.for(['first', 'second'])(
      'and comes through a commit of progress as well, that one %s, is there once',
      async (order, context) => {
        const stage = await blockingStage(bench, context);
        const { harness, worker, begin } = stage;
        const before = await pending(stage);
        const other = { ...before, entries: before.entries.map((entry) => ({ ...entry })) };
        // Before it begins: a database with one writer would let a commit wait for the end of the transaction.
        if (order === 'first') await worker.commit(other);
        const history = await worker.history('one');
        const transaction = await begin();
        await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 3), before: [before] });
        if (order === 'second') expect(await worker.commit(other)).toMatchObject({ conflicts: [], refused: [] });
        const after = await worker.history('one');
        expect(after.map(({ seq }) => seq)).toEqual([1, 2, 3]);
        expect(after.slice(0, history.length)).toEqual(history);
        expect((await worker.signals('one'))[0]?.mail).toHaveLength(1);
        expect(await harness.deliver({ topic: 'event:pending' })).toMatchObject({ receivers: 1 });
      },
    );

    it('and is on its way through a commit of progress at that moment, holds up neither', async (context) => {
      const stage = await blockingStage(bench, context);
      const { worker, probe, begin } = stage;
      await worker.start('two');
      for (let round = 0; round < 20; round++) {
        const [first, second] = [newEntry('one', round * 2 + 1), newEntry('one', round * 2 + 2)];
        const before: PendingProgress = { starts: [], entries: [first], effects: [], subscriptions: [], takenMail: [] };
        const transaction = await begin();
        await probe.write(transaction.handle, `row-${round}`, 'x');
        // In one batch with what others of the process did, as it is in real life.
        const committed = worker.commit({ entries: [first, newEntry('two', round + 1)] });
        if (round % 2 === 1) await turn();
        await Promise.all([transaction.commit({ workerId: worker.workerId, entry: second, before: [before] }), committed]);
        expect(await probe.read(`row-${round}`)).toBe('x');
      }
      expect((await worker.history('one')).map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      expect(await worker.history('two')).toHaveLength(20);
    });
  });
}

async function blockingStage(bench: Bench, context: TestContext): Promise<TransactionStage> {
  const stage = await transactionStage(bench, context);
  requireBlocking(stage, context);
  return stage;
}

/** Two entries, a subscription, and the first of two pieces of mail, none of it committed. */
async function pending({ harness, worker }: TransactionStage): Promise<PendingProgress> {
  for (const data of ['"first"', '"second"']) await harness.deliver({ targetInstanceId: 'one', data });
  const [signals] = await worker.signals('one');
  return {
    starts: [],
    entries: [newEntry('one', 1), newEntry('one', 2)],
    effects: [],
    subscriptions: [{ instanceId: 'one', topic: 'event:pending' }],
    takenMail: [{ instanceId: 'one', mailId: signals!.mail[0]!.mailId }],
  };
}

async function expectNothing({ harness, worker }: TransactionStage): Promise<void> {
  expect(await worker.history('one')).toEqual([]);
  expect((await worker.signals('one'))[0]?.mail).toHaveLength(2);
  expect(await harness.deliver({ topic: 'event:pending' })).toMatchObject({ receivers: 0 });
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
}
