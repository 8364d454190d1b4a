// Cases: upkeep tells what there is to do and who else is there, and finds the dead by the signs that they left in the database.
import { describe, expect, it, type TestContext } from 'vitest';
import type { Bench, StorageHarness } from './storage-harness.js';
import { newOutboxEvent } from './effect-cases.js';
import { step } from './message-stage.js';
import { complete, newInstance, park, type TestWorker } from './test-worker.js';

const hour = 3_600_000;

export function upkeepCases(bench: Bench): void {
  describe('upkeep', () => {
    it('tells when something that nobody owns is next due, of the workflows asked for alone', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ workflowNames: ['order', 'refund'] });
      expect((await worker.upkeep()).work).toEqual({ nextDueAt: null, attention: [], outboxDueAt: null });
      const later = (await worker.now()) + hour;
      await worker.start(['asleep', 'owned']);
      await worker.settle(park('asleep', later));
      expect((await worker.upkeep()).work).toEqual({ nextDueAt: later, attention: [], outboxDueAt: null });
      const { now } = await worker.commit({ starts: [newInstance('due', { owned: false, workflowName: 'refund' })] });
      expect((await worker.upkeep()).work!.nextDueAt).toBeLessThanOrEqual(now);
      expect((await worker.upkeep({ workflowNames: ['order'] })).work!.nextDueAt).toBe(later);
      expect((await worker.upkeep({ workflowNames: [] })).work!.nextDueAt).toBeNull();
      expect((await harness.get('due')).owner).toBeNull();
    });

    it('tells which own instances have attention, and clears it for none', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start(['one', 'quiet']);
      await harness.cancel('one');
      for (let times = 0; times < 2; times++) expect((await worker.upkeep()).work!.attention).toEqual(['one']);
      expect((await other.upkeep()).work!.attention).toEqual([]);
      await worker.signals('one');
      expect((await worker.upkeep()).work!.attention).toEqual([]);
    });

    it('that renews nothing tells nothing of work, and leaves the lease as it is', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker({ leaseMs: 50 }), await harness.worker()];
      await worker.start('due', { owned: false });
      expect(await worker.look()).toMatchObject({ alive: true, work: null });
      await harness.pass(100);
      expect((await other.look()).reaped).toEqual([{ workerId: worker.workerId, released: 0 }]);
    });

    it('names the living workers that serve one of the same workflows, and no others', async () => {
      const harness = await bench.harness();
      const me = await harness.worker({ workflowNames: ['order', 'refund'] });
      const [same, part] = [await harness.worker(), await harness.worker({ workflowNames: ['refund', 'x'] })];
      await harness.worker({ workflowNames: ['x'] });
      await harness.worker({ workflowNames: [] });
      await harness.worker({ leaseMs: 1 });
      await (await harness.worker()).retire();
      await harness.pass(3);
      const answers = [await me.upkeep(), await me.look()];
      for (const { peers } of answers) expect([...peers].sort()).toEqual([same.workerId, part.workerId].sort());
      expect((await (await harness.worker({ workflowNames: [] })).upkeep()).peers).toEqual([]);
    });

    it('names the living workers that send events, whatever they serve, and no others', async () => {
      const harness = await bench.harness();
      const me = await harness.worker({ workflowNames: [] });
      const relaying = { isRelayer: true };
      const both = await harness.worker(relaying);
      const alone = await harness.worker({ ...relaying, workflowNames: [] });
      await harness.worker();
      await harness.worker({ ...relaying, leaseMs: 1 });
      await (await harness.worker(relaying)).retire();
      const changed = await harness.worker(relaying);
      await changed.register();
      await harness.pass(3);
      const ids = [both.workerId, alone.workerId].sort();
      for (const answer of [await me.upkeep(), await me.look()]) {
        expect([...answer.relayers].sort()).toEqual(ids);
        expect(answer.peers).toEqual([]);
      }
      const { relayers, peers } = await both.look();
      expect(relayers).toEqual([alone.workerId]);
      expect(peers).toHaveLength(2);
    });

    it('of a worker without a row does nothing and says so', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker({ leaseMs: 1 });
      await worker.start('one');
      await harness.pass(3);
      const nothing = {
        presence: null,
        reaped: [],
        work: null,
        peers: [],
        relayers: [],
        othersOwnWork: false,
        missing: [],
        wakeups: [],
      };
      const stranger = await harness.unregistered();
      expect(await stranger.upkeep()).toMatchObject({ alive: false, ...nothing });
      expect(await stranger.look()).toMatchObject({ alive: false, ...nothing });
      expect((await harness.get('one')).owner).toBe(worker.workerId);
    });
  });

  describe('a presence', () => {
    it('is written by upkeep as long as it is there, and taken back by it', async (context) => {
      const { worker, other, sign, end } = await stage(context);
      expect((await worker.upkeep({ presence: sign })).presence).toBe(sign);
      expect((await worker.look()).presence).toBe(sign);
      expect((await worker.upkeep({ presence: null })).presence).toBeNull();
      expect(await other.look()).toMatchObject({ othersOwnWork: false, missing: [] });
      await end();
      expect((await worker.upkeep({ presence: sign })).presence).toBeNull();
    });

    it('that is not seen by the storage, or is nothing that it knows, is not written', async (context) => {
      const { worker } = await stage(context);
      for (const presence of ['', 'advisory:1:1', 'advisory:99999999999:0', 'advisory:', "sign'); --"]) {
        expect((await worker.upkeep({ presence })).presence).toBeNull();
      }
    });

    it('lets others see whether a worker that owns runs is missing', async (context) => {
      const { worker, other, sign, end } = await stage(context);
      await worker.upkeep({ presence: sign });
      expect(await other.look()).toMatchObject({ othersOwnWork: true, missing: [] });
      expect(await worker.look()).toMatchObject({ othersOwnWork: false, missing: [] });
      await end();
      const missing = [{ workerId: worker.workerId, presence: sign }];
      // Missing is not dead: that takes somebody who suspects it.
      for (const answer of [await other.look(), await other.upkeep()]) {
        expect(answer).toMatchObject({ othersOwnWork: true, missing, reaped: [] });
      }
      await worker.settle(complete('run'));
      expect(await other.look()).toMatchObject({ othersOwnWork: false, missing: [] });
    });

    it('lets others see whether a worker that has events to send is missing, and its end tells of one of them', async (context) => {
      const { worker, other, sign, end } = await stage(context);
      await step(worker, 'run', { type: 'event', event: newOutboxEvent('e1') }, { type: 'event', event: newOutboxEvent('e2') });
      await worker.settle(complete('run'));
      await worker.upkeep({ presence: sign });
      expect((await other.look()).othersOwnWork).toBe(false);
      const { events } = await worker.storage.outbox.claim({ workerId: worker.workerId, limit: 10 });
      expect(events).toHaveLength(2);
      expect(await other.look()).toMatchObject({ othersOwnWork: true, missing: [] });
      await end();
      const missing = [{ workerId: worker.workerId, presence: sign }];
      expect(await other.look()).toMatchObject({ othersOwnWork: true, missing });
      const reaping = await other.look(missing);
      expect(reaping.reaped).toEqual([{ workerId: worker.workerId, released: 0 }]);
      expect(reaping.wakeups).toEqual([{ kind: 'outbox_pending', eventId: expect.stringMatching(/^e[12]$/) as string }]);
    });

    it('that is gone and suspected is the end of its worker, long before its lease is', async (context) => {
      const { worker, other, sign, end, harness } = await stage(context);
      await worker.upkeep({ presence: sign });
      const suspects = [{ workerId: worker.workerId, presence: sign }];
      expect((await other.look(suspects)).reaped).toEqual([]);
      await end();
      const reaping = await other.look(suspects);
      expect(reaping).toMatchObject({ reaped: [{ workerId: worker.workerId, released: 1 }], missing: [], peers: [] });
      expect(reaping.wakeups).toEqual([{ kind: 'workflow_resumable', instanceId: 'run', workflowName: 'order' }]);
      expect((await worker.upkeep({ presence: sign })).alive).toBe(false);
      expect(await harness.get('run')).toMatchObject({ owner: null, status: 'pending' });
    });

    it('that was withdrawn or changed saves its worker from whoever suspects the one before', async (context) => {
      const { worker, other, sign, end, harness } = await stage(context);
      await worker.upkeep({ presence: sign });
      const suspects = [{ workerId: worker.workerId, presence: sign }];
      const next = await harness.fixture.presence!();
      await end();
      await worker.upkeep({ presence: next.presence });
      expect((await other.look(suspects)).reaped).toEqual([]);
      await worker.upkeep({ presence: null });
      await next.end();
      expect((await other.look([...suspects, { workerId: worker.workerId, presence: next.presence }])).reaped).toEqual([]);
      expect((await worker.upkeep()).alive).toBe(true);
    });

    it('is forgotten by a new registration', async (context) => {
      const { worker, other, sign } = await stage(context);
      await worker.upkeep({ presence: sign });
      await worker.register();
      expect((await other.look()).othersOwnWork).toBe(false);
    });

    it('that is gone is reported by one of several who suspect it', async (context) => {
      const { worker, other, sign, end, harness } = await stage(context);
      await worker.upkeep({ presence: sign });
      await end();
      const others = [other, await harness.worker(), await harness.worker(), await harness.worker()];
      const looks = await Promise.all(others.map((one) => one.look([{ workerId: worker.workerId, presence: sign }])));
      expect(looks.flatMap(({ reaped }) => reaped)).toEqual([{ workerId: worker.workerId, released: 1 }]);
    });
  });

  interface Stage {
    readonly harness: StorageHarness;
    /** Owns the instance `run`. */
    readonly worker: TestWorker;
    readonly other: TestWorker;
    readonly sign: string;
    readonly end: () => Promise<void>;
  }

  async function stage(context: TestContext): Promise<Stage> {
    const harness = await bench.harness();
    harness.require(context, 'presence', harness.fixture.presence !== undefined);
    const [worker, other] = [await harness.worker(), await harness.worker()];
    await worker.start('run');
    const { presence, end } = await harness.fixture.presence!();
    let isOver = false;
    const endOnce = async (): Promise<void> => {
      if (!isOver) await end();
      isOver = true;
    };
    harness.beforeClose(endOnce);
    return { harness, worker, other, sign: presence, end: endOnce };
  }
}
