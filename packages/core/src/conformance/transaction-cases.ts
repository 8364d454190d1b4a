// Cases: what an activity writes through its transaction commits together with its result, or not at all.
import { describe, expect, it } from 'vitest';
import { LeaseLostError, StorageUnavailableError } from '../ports/index.js';
import type { Bench } from './storage-harness.js';
import { newEntry } from './test-worker.js';
import { transactionStage } from './transaction-stage.js';

export function transactionCases(bench: Bench): void {
  describe('activity transactions', () => {
    it('commit the rows together with the entry', async (context) => {
      const { worker, probe, begin } = await transactionStage(bench, context);
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'paid');
      await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 5, { data: '"charged"' }) });
      expect(await probe.read('row')).toBe('paid');
      const [entry] = await worker.history('one');
      const { recordedAt, ...rest } = entry!;
      expect(rest).toEqual(newEntry('one', 5, { data: '"charged"' }));
      expect(recordedAt).toBeLessThanOrEqual(await worker.now());
    });

    it('show their rows to themselves alone until they commit', async (context) => {
      const { worker, probe, begin } = await transactionStage(bench, context);
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'first');
      await probe.write(transaction.handle, 'row', 'second');
      expect(await probe.readWithin(transaction.handle, 'row')).toBe('second');
      expect(await probe.read('row')).toBeUndefined();
      expect(await worker.history('one')).toEqual([]);
      await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 1) });
      expect(await probe.read('row')).toBe('second');
    });

    it('leave nothing when they are rolled back, however often', async (context) => {
      const { worker, probe, begin } = await transactionStage(bench, context);
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'never');
      await transaction.rollback();
      await transaction.rollback();
      expect(await probe.read('row')).toBeUndefined();
      expect(await worker.history('one')).toEqual([]);
    });

    it('commit an entry when nothing was written', async (context) => {
      const { worker, begin } = await transactionStage(bench, context);
      await (await begin()).commit({ workerId: worker.workerId, entry: newEntry('one', 1) });
      expect(await worker.history('one')).toHaveLength(1);
    });

    it.for(['reaped', 'retired', 'never registered'])('of a worker that was %s commit nothing', async (fate, context) => {
      const { harness, worker, probe, begin } = await transactionStage(bench, context);
      const dead = fate === 'never registered' ? await harness.unregistered() : worker;
      if (fate === 'retired') await worker.retire();
      if (fate === 'reaped') {
        await worker.upkeep({ leaseMs: 1 });
        await harness.pass(5);
        await (await harness.worker()).look();
      }
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'never');
      const entry = newEntry('one', 1);
      await expect(transaction.commit({ workerId: dead.workerId, entry })).rejects.toBeInstanceOf(LeaseLostError);
      await transaction.rollback();
      expect(await probe.read('row')).toBeUndefined();
      expect(await worker.history('one')).toEqual([]);
    });

    it('and the reaping of their worker at once: all of it is committed, or nothing', async (context) => {
      const { harness, probe } = await transactionStage(bench, context);
      const reaper = await harness.worker();
      for (let round = 0; round < 10; round++) {
        const worker = await harness.worker({ storage: await harness.storage() });
        const [instanceId, row] = [`race-${round}`, `row-${round}`];
        await worker.start(instanceId);
        await worker.upkeep({ leaseMs: 1 });
        await harness.pass(3);
        const transaction = await worker.storage.transactions.begin({ signal: new AbortController().signal });
        await probe.write(transaction.handle, row, 'x');
        const [committed] = await Promise.allSettled([
          transaction.commit({ workerId: worker.workerId, entry: newEntry(instanceId, 1) }),
          // A database with one writer at a time may have to be asked again.
          reaper.look().catch(ignoreUnavailable),
        ]);
        await transaction.rollback();
        await reaper.look();
        const written = committed.status === 'fulfilled' ? 1 : 0;
        if (committed.status === 'rejected') expect(committed.reason).toBeInstanceOf(LeaseLostError);
        expect(await reaper.history(instanceId)).toHaveLength(written);
        expect(await probe.read(row)).toBe(written === 1 ? 'x' : undefined);
      }
    });

    it('of one attempt that went wrong in the database do not spoil the next attempt', async (context) => {
      const { harness, worker, probe, begin } = await transactionStage(bench, context);
      harness.require(context, 'failInTransaction', 'fail' in probe);
      const first = await begin();
      await probe.write(first.handle, 'row', 'first');
      await probe.fail?.(first.handle);
      await first.rollback();
      expect(await probe.read('row')).toBeUndefined();
      const second = await begin();
      await probe.write(second.handle, 'row', 'second');
      await second.commit({ workerId: worker.workerId, entry: newEntry('one', 2) });
      expect(await probe.read('row')).toBe('second');
      expect((await worker.history('one')).map((entry) => entry.seq)).toEqual([2]);
    });

    it('that a database error has spoilt commit all or nothing', async (context) => {
      const { harness, worker, probe, begin } = await transactionStage(bench, context);
      harness.require(context, 'failInTransaction', 'fail' in probe);
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'x');
      await probe.fail?.(transaction.handle);
      const entry = newEntry('one', 1);
      const committed = await transaction.commit({ workerId: worker.workerId, entry }).then(
        () => true,
        () => false,
      );
      await transaction.rollback();
      expect(await probe.read('row')).toBe(committed ? 'x' : undefined);
      expect(await worker.history('one')).toHaveLength(committed ? 1 : 0);
    });

    it('of several activities at once commit each for itself', async (context) => {
      const { worker, probe, begin } = await transactionStage(bench, context);
      const numbers = Array.from({ length: 6 }, (_, index) => index + 1);
      await Promise.all(
        numbers.map(async (n) => {
          const transaction = await begin();
          await probe.write(transaction.handle, `row-${n}`, String(n));
          if (n % 3 === 0) await transaction.rollback();
          else await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', n) });
        }),
      );
      const kept = numbers.filter((n) => n % 3 !== 0);
      expect((await worker.history('one')).map((entry) => entry.seq)).toEqual(kept);
      for (const n of numbers) expect(await probe.read(`row-${n}`)).toBe(n % 3 === 0 ? undefined : String(n));
    });

    it('let all other calls, of their process and of others, go on or wait for no longer than their end', async (context) => {
      const { harness, worker, probe, begin } = await transactionStage(bench, context);
      const other = await harness.worker();
      await worker.start('free', { owned: false });
      const transaction = await begin();
      await probe.write(transaction.handle, 'row', 'x');
      const calls = [
        worker.upkeep(),
        worker.commit({ entries: [newEntry('one', 2)] }),
        worker.claim({ limit: 0 }),
        other.claim(),
        other.look(),
        harness.deliver({ targetInstanceId: 'free' }),
        harness.get('one'),
      ];
      await transaction.commit({ workerId: worker.workerId, entry: newEntry('one', 1) });
      await Promise.all(calls);
      expect((await worker.history('one')).map((entry) => entry.seq)).toEqual([1, 2]);
      // A claim leaves out what the delivery has locked at that moment; the next one has it.
      await other.claim();
      expect((await harness.get('free')).owner).toBe(other.workerId);
    });

    it('that are over take nothing more, neither a write nor a commit', async (context) => {
      const { worker, probe, begin } = await transactionStage(bench, context);
      const committed = await begin();
      await committed.commit({ workerId: worker.workerId, entry: newEntry('one', 1) });
      await expect(probe.write(committed.handle, 'late', 'x')).rejects.toThrow();
      await expect(committed.commit({ workerId: worker.workerId, entry: newEntry('one', 2) })).rejects.toThrow();
      const rolledBack = await begin();
      await rolledBack.rollback();
      await expect(probe.write(rolledBack.handle, 'late', 'x')).rejects.toThrow();
      await expect(rolledBack.commit({ workerId: worker.workerId, entry: newEntry('one', 3) })).rejects.toThrow();
      expect(await probe.read('late')).toBeUndefined();
      expect((await worker.history('one')).map((entry) => entry.seq)).toEqual([1]);
    });

    it('do not begin for an attempt that is over, and leave the next one its place', async (context) => {
      const { worker, begin } = await transactionStage(bench, context);
      const signal = AbortSignal.abort(new Error('the attempt is over'));
      await expect(worker.storage.transactions.begin({ signal })).rejects.toThrow();
      await (await begin()).commit({ workerId: worker.workerId, entry: newEntry('one', 1) });
      expect(await worker.history('one')).toHaveLength(1);
    });
  });
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StorageUnavailableError)) throw error;
}
