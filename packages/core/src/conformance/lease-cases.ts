// Cases: workers live by their row, and whoever is declared dead can write nothing more.
import { describe, expect, it } from 'vitest';
import { LeaseLostError, type Wakeup } from '../ports/index.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { complete, newEntry, newInstance, park, stall, type TestWorker } from './test-worker.js';

const soon = 50;
const hour = 3_600_000;

export function leaseCases(bench: Bench): void {
  describe('leases', () => {
    it('tells the clock on registering, and says of a registered worker that it is alive', async () => {
      const worker = await (await bench.harness()).worker();
      const { now } = await worker.register();
      const beat = await worker.upkeep();
      expect(now).toBeGreaterThan(Date.UTC(2020, 0, 1));
      expect(beat.alive).toBe(true);
      expect(beat.now).toBeGreaterThanOrEqual(now);
    });

    it('says of a worker that never registered that it is not alive', async () => {
      const worker = await (await bench.harness()).unregistered();
      expect((await worker.upkeep()).alive).toBe(false);
    });

    it('lets a worker whose lease has run out go on until somebody reaps it', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ leaseMs: soon });
      await harness.pass(soon * 2);
      await worker.start('late');
      expect((await worker.upkeep({ leaseMs: hour })).alive).toBe(true);
      expect((await (await harness.worker()).look()).reaped).toEqual([]);
    });

    it('keeps a worker that renews its lease', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker({ leaseMs: soon }), await harness.worker()];
      await worker.upkeep({ leaseMs: hour });
      await harness.pass(soon * 2);
      expect((await other.look()).reaped).toEqual([]);
    });

    it('renews the row of a worker that registers again', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker({ leaseMs: soon }), await harness.worker()];
      await worker.start('kept');
      await worker.register(hour);
      await harness.pass(soon * 2);
      expect((await other.look()).reaped).toEqual([]);
      expect((await harness.get('kept')).owner).toBe(worker.workerId);
    });

    it('reaps a worker whose lease has run out, releases all that it owned and nothing else', async () => {
      const harness = await bench.harness();
      const [dead, other] = [await harness.worker({ leaseMs: soon }), await harness.worker()];
      await dead.start(['a', 'b', 'finished', 'parked']);
      await dead.settle(complete('finished'), park('parked'));
      await other.start('mine');
      await harness.pass(soon * 2);

      const { reaped, now, wakeups } = await other.look();
      expect(resumableIds(wakeups)).toEqual(['a', 'b']);
      expect(reaped).toEqual([{ workerId: dead.workerId, released: 2 }]);
      expect(now).toBeGreaterThan(0);
      expect(await harness.get('a')).toMatchObject({ owner: null, status: 'pending' });
      expect(await harness.get('mine')).toMatchObject({ owner: other.workerId, status: 'running' });
      expect([...(await other.claimIds())].sort()).toEqual(['a', 'b']);
      expect((await dead.upkeep()).alive).toBe(false);
    });

    it('reaps an idle worker, and none twice', async () => {
      const harness = await bench.harness();
      const [dead, other] = [await harness.worker({ leaseMs: soon }), await harness.worker()];
      await harness.pass(soon * 2);
      expect((await other.look()).reaped).toEqual([{ workerId: dead.workerId, released: 0 }]);
      expect((await other.look()).reaped).toEqual([]);
    });

    it('never reaps the worker that asks', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ leaseMs: soon });
      await worker.start('own');
      await harness.pass(soon * 2);
      expect((await worker.look()).reaped).toEqual([]);
      expect((await harness.get('own')).owner).toBe(worker.workerId);
    });

    it('reports each dead worker to one of several reapers at once', async () => {
      const harness = await bench.harness();
      const dead = await Promise.all(Array.from({ length: 8 }, () => harness.worker({ leaseMs: soon })));
      for (const worker of dead) await worker.start([`${worker.workerId}/1`, `${worker.workerId}/2`]);
      const reapers = await Promise.all(Array.from({ length: 4 }, () => harness.worker()));
      await harness.pass(soon * 2);
      const reports = await Promise.all(reapers.map((reaper) => reaper.look()));
      const reaped = reports.flatMap((report) => report.reaped);
      expect(reaped.map((worker) => worker.workerId).sort()).toEqual(dead.map((worker) => worker.workerId).sort());
      expect(reaped.map((worker) => worker.released)).toEqual(dead.map(() => 2));
    });

    it('finds the death of a process before its lease runs out', async (context) => {
      const harness = await bench.harness();
      const { fixture } = harness;
      harness.require(context, 'kill', 'kill' in fixture);
      const [dead, other] = [await harness.worker(), await harness.worker()];
      await dead.start('orphan');
      await fixture.kill?.(dead.storage);
      expect((await other.look()).reaped).toEqual([{ workerId: dead.workerId, released: 1 }]);
    });

    it('retires a worker: its row is gone, its instances can be claimed at once', async () => {
      const harness = await bench.harness();
      const [leaving, other] = [await harness.worker(), await harness.worker()];
      await leaving.start(['a', 'b', 'parked']);
      await leaving.settle(park('parked'));
      const { released, wakeups } = await leaving.retire();
      expect(released).toBe(2);
      expect(resumableIds(wakeups)).toEqual(['a', 'b']);
      expect((await leaving.upkeep()).alive).toBe(false);
      expect([...(await other.claimIds())].sort()).toEqual(['a', 'b']);
    });

    it('takes a second retirement, and that of a worker without a row', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.retire();
      expect(await worker.retire()).toEqual({ released: 0, wakeups: [] });
      expect(await (await harness.unregistered()).retire()).toEqual({ released: 0, wakeups: [] });
    });

    it('makes stalled instances of the registering worker claimable, and no others', async () => {
      const harness = await bench.harness();
      const first = await harness.worker({ workflowNames: ['order', 'refund'] });
      const later = (await first.now()) + hour;
      await first.start(['fits', 'asleep']);
      await first.start('other', { workflowName: 'refund' });
      await first.settle(stall('fits', later), stall('other', later), park('asleep', later));
      expect(await first.claimIds()).toEqual([]);
      const second = await harness.worker({ workflowNames: ['order'] });
      expect(await first.claimIds()).toEqual(['fits']);
      expect(await second.claimIds()).toEqual([]);
    });
  });

  describe('a worker that is not alive', () => {
    const ways: readonly { readonly name: string; readonly die: (harness: StorageHarness) => Promise<TestWorker> }[] = [
      { name: 'reaped', die: reapedWorker },
      { name: 'retired', die: retiredWorker },
      { name: 'never registered', die: async (harness) => withInstance(harness, await harness.unregistered()) },
    ];
    for (const { name, die } of ways) {
      const each: readonly { readonly call: string; readonly make: (worker: TestWorker) => Promise<unknown> }[] = [
        { call: 'commit an empty batch', make: (worker) => worker.commit({}) },
        { call: 'start', make: (worker) => worker.start('new') },
        { call: 'record', make: (worker) => worker.commit({ entries: [newEntry('one', 2)] }) },
        { call: 'subscribe', make: (worker) => worker.commit({ subscriptions: [{ instanceId: 'one', topic: 'event:x' }] }) },
        { call: 'park', make: (worker) => worker.settle(park('one')) },
        { call: 'finish', make: (worker) => worker.settle(complete('one')) },
        {
          call: 'do all of it',
          make: (worker) =>
            worker.commit({
              starts: [newInstance('new')],
              entries: [newEntry('one', 2), newEntry('new', 1)],
              subscriptions: [{ instanceId: 'one', topic: 'event:x' }],
              settlements: [complete('one'), complete('new')],
            }),
        },
        { call: 'claim', make: (worker) => worker.claim() },
        { call: 'claim nothing', make: (worker) => worker.claim({ limit: 0 }) },
        { call: 'read signals', make: (worker) => worker.signals('one') },
        { call: 'read no signals', make: (worker) => worker.signals([]) },
      ];
      it.each(each)(`${name}, cannot $call, and changes nothing`, async ({ make }) => {
        const harness = await bench.harness();
        const worker = await die(harness);
        const before = await picture(harness);
        await expect(make(worker)).rejects.toBeInstanceOf(LeaseLostError);
        await expect(make(worker)).rejects.toMatchObject({ code: 'LEASE_LOST', workerId: worker.workerId });
        expect(await picture(harness)).toEqual(before);
      });
    }

    it('is fenced off from the mail of what went to others: it cannot take it', async () => {
      const harness = await bench.harness();
      const dead = await reapedWorker(harness);
      const other = await harness.worker();
      await harness.deliver({ targetInstanceId: 'one' });
      const { mail } = await other.claimOne('one');
      expect(mail).toHaveLength(1);
      const takenMail = mail.map(({ mailId }) => ({ instanceId: 'one', mailId }));
      await expect(dead.commit({ takenMail })).rejects.toBeInstanceOf(LeaseLostError);
      expect((await other.signals('one'))[0]?.mail).toEqual(mail);
    });

    it('either commits before its reaper or not at all, when both come at once', async () => {
      const harness = await bench.harness();
      const reaper = await harness.worker();
      for (let round = 0; round < 30; round++) {
        const [instanceId, worker] = [`race-${round}`, await harness.worker({ leaseMs: 1, storage: await harness.storage() })];
        await worker.start(instanceId);
        await harness.pass(3);
        const [commit] = await Promise.allSettled([worker.settle(complete(instanceId)), reaper.look()]);
        await reaper.look();
        const record = await harness.get(instanceId);
        if (commit.status === 'fulfilled') expect(record.status).toBe('completed');
        else {
          expect(commit.reason).toBeInstanceOf(LeaseLostError);
          expect(record).toMatchObject({ status: 'pending', owner: null });
        }
      }
    });
  });
}

async function withInstance(harness: StorageHarness, worker: TestWorker): Promise<TestWorker> {
  const other = await harness.worker();
  await other.commit({ starts: [newInstance('one')], entries: [newEntry('one', 1)] });
  await other.retire();
  return worker;
}

async function retiredWorker(harness: StorageHarness): Promise<TestWorker> {
  const worker = await harness.worker();
  await worker.commit({ starts: [newInstance('one')], entries: [newEntry('one', 1)] });
  await worker.retire();
  return worker;
}

async function reapedWorker(harness: StorageHarness): Promise<TestWorker> {
  const worker = await harness.worker({ leaseMs: soon });
  await worker.commit({ starts: [newInstance('one')], entries: [newEntry('one', 1)] });
  await harness.pass(soon * 2);
  await (await harness.worker()).look();
  return worker;
}

function resumableIds(wakeups: readonly Wakeup[]): readonly string[] {
  for (const wakeup of wakeups) expect(wakeup).toMatchObject({ kind: 'workflow_resumable', workflowName: 'order' });
  return wakeups.flatMap((wakeup) => ('instanceId' in wakeup ? [wakeup.instanceId] : [])).sort();
}

/** All that a dead worker might have changed. */
async function picture(harness: StorageHarness): Promise<unknown> {
  const storage = await harness.storage();
  return {
    one: await storage.instances.get('one'),
    new: await storage.instances.get('new'),
    history: await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 100 }),
  };
}
