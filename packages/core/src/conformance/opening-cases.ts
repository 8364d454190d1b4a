// Cases: opening, closing, and two databases that know nothing of each other.
import { describe, expect, it } from 'vitest';
import type { Bench } from './storage-harness.js';
import { newInstance, stall, TestWorker } from './test-worker.js';

export function openingCases(bench: Bench): void {
  describe('opening and closing', () => {
    it('says what it is', async () => {
      const storage = await (await bench.harness()).storage();
      expect(storage.kind).toMatch(/^[a-z]+$/);
      expect(storage.description.length).toBeGreaterThan(0);
      expect(storage.reapIntervalMs).toBeGreaterThan(0);
      expect(storage.reapIntervalMs).toBeLessThan(600_000);
    });

    it('ten processes at once on an empty database: each can do all as soon as it is open', async () => {
      const harness = await bench.harness({ untouched: true });
      await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const worker = await harness.worker({ storage: await harness.open(), workflowNames: [`own-${index}`] });
          await worker.start(`one-${index}`, { owned: false, workflowName: `own-${index}` });
          expect(await worker.claimIds()).toEqual([`one-${index}`]);
        }),
      );
      for (let index = 0; index < 10; index++) expect((await harness.get(`one-${index}`)).status).toBe('running');
    });

    it('closes twice without harm, and leaves the others open', async () => {
      const harness = await bench.harness();
      const [worker, other] = [await harness.worker(), await harness.worker()];
      await worker.start('one', { owned: false });
      await worker.storage.close();
      await worker.storage.close();
      expect(await other.claimIds()).toEqual(['one']);
    });

    it('keeps what was written for who opens later', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('one', { input: '"kept"' });
      await worker.storage.close();
      const later = await harness.open();
      expect(await later.instances.get('one')).toMatchObject({ input: '"kept"', owner: worker.workerId });
    });
  });

  describe('two databases on one server', () => {
    it('neither sees, wakes, claims, cancels nor reaps what is in the other', async (context) => {
      const harness = await bench.harness();
      const { fixture } = harness;
      harness.require(context, 'openElsewhere', 'openElsewhere' in fixture);
      const worker = await harness.worker();
      const elsewhere = await fixture.openElsewhere!();
      harness.beforeClose(() => elsewhere.close());
      // The same worker id on both sides: not even that connects them.
      const twin = new TestWorker(elsewhere, worker.workerId, worker.workflowNames);
      await worker.commit({
        starts: ['one', 'free', 'stalled'].map((id) => newInstance(id, { owned: id !== 'free' })),
        subscriptions: [{ instanceId: 'one', topic: 'event:paid' }],
        settlements: [stall('stalled', (await worker.now()) + 3_600_000)],
      });

      expect((await twin.upkeep()).alive).toBe(false);
      await twin.register();
      expect(await elsewhere.instances.get('one')).toBeUndefined();
      expect(await twin.claim()).toMatchObject({ claimed: [], attention: [], nextDueAt: null });
      expect((await twin.start('one', { input: '"elsewhere"' })).conflicts).toEqual([]);
      expect((await harness.get('one')).input).not.toBe('"elsewhere"');

      const event = harness.event();
      expect(await elsewhere.messages.deliver(event)).toMatchObject({ outcome: 'delivered', receivers: 0 });
      expect(await harness.deliver(event)).toMatchObject({ outcome: 'delivered', receivers: 1 });
      expect(await elsewhere.instances.requestCancel({ instanceId: 'free', reason: null })).toMatchObject({ outcome: 'unknown' });

      await worker.upkeep({ leaseMs: 1 });
      await harness.pass(5);
      const reaper = new TestWorker(elsewhere, 'reaper', []);
      await reaper.register();
      expect((await reaper.look()).reaped).toEqual([]);
      expect(await twin.retire()).toMatchObject({ released: 1 });
      expect((await worker.upkeep()).alive).toBe(true);
      expect(await worker.claimIds()).toEqual(['free']);
    });
  });
}
