// Cases: a call whose answer was lost is made again, and nothing is different but the time.
import { describe, expect, it } from 'vitest';
import type { ProgressBatch } from '../ports/index.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import {
  cancelled,
  complete,
  fail,
  newEntry,
  newInstance,
  ofClaim,
  park,
  release,
  stall,
  TestWorker,
  type PartialBatch,
} from './test-worker.js';

const hour = 3_600_000;

interface Scene {
  readonly harness: StorageHarness;
  readonly worker: TestWorker;
  readonly other: TestWorker;
}

export function repeatCases(bench: Bench): void {
  describe('a batch that is committed twice', () => {
    const batches: readonly { readonly name: string; readonly make: (scene: Scene) => Promise<Partial<ProgressBatch>> }[] = [
      { name: 'starts', make: async () => ({ starts: [newInstance('new'), newInstance('free', { owned: false })] }) },
      { name: 'starts and entries', make: async () => ({ starts: [newInstance('new')], entries: [newEntry('new', 1)] }) },
      { name: 'entries', make: async () => ({ entries: [newEntry('one', 7), newEntry('two', 1), newEntry('one', 8)] }) },
      { name: 'subscriptions', make: async () => ({ subscriptions: [{ instanceId: 'one', topic: 'event:paid' }] }) },
      { name: 'taken mail', make: async (scene) => ({ takenMail: await firstMail(scene, 'one') }) },
      { name: 'a park', make: async () => ({ settlements: [park('one')] }) },
      { name: 'a park until later', make: async ({ worker }) => ({ settlements: [park('one', (await worker.now()) + hour)] }) },
      { name: 'a release', make: async () => ({ settlements: [release('one')] }) },
      { name: 'a stall', make: async ({ worker }) => ({ settlements: [stall('one', (await worker.now()) + hour)] }) },
      { name: 'a completion', make: async () => ({ settlements: [complete('one')] }) },
      { name: 'a failure', make: async () => ({ settlements: [fail('one')] }) },
      {
        name: 'a cancelled end',
        make: async ({ harness }) => {
          await harness.cancel('one', 'x');
          return { settlements: [cancelled('one')] };
        },
      },
      {
        name: 'all of it',
        make: async (scene) => ({
          starts: [newInstance('new'), newInstance('short')],
          entries: [newEntry('one', 9), newEntry('new', 1), newEntry('short', 1)],
          subscriptions: [
            { instanceId: 'new', topic: 'event:x' },
            { instanceId: 'short', topic: 'event:x' },
          ],
          takenMail: await firstMail(scene, 'two'),
          settlements: [complete('one'), park('two'), park('new'), complete('short', '2')],
        }),
      },
    ];

    it.each(batches)('with $name leaves the same state and gives the same answer', async ({ make }) => {
      const scene = await setUp(bench);
      const { harness, worker } = scene;
      const batch = worker.batch(await make(scene));
      const first = await worker.storage.runs.commit(batch);
      expect(first).toMatchObject({ conflicts: [], refused: [] });
      const state = await picture(harness);
      await harness.pass(5);
      const second = await worker.storage.runs.commit(batch);
      expect(second).toMatchObject({ conflicts: [], refused: [] });
      expect(second.now).toBeGreaterThanOrEqual(first.now);
      expect(await picture(harness)).toEqual(state);
    });

    it.each(batches)('with $name, both on the way at once, has one effect', async ({ make }) => {
      const scene = await setUp(bench);
      const { harness, worker } = scene;
      const batch = worker.batch(await make(scene));
      const answers = await Promise.all([worker.storage.runs.commit(batch), worker.storage.runs.commit(batch)]);
      for (const answer of answers) expect(answer).toMatchObject({ conflicts: [], refused: [] });
      const state = await picture(harness);
      await worker.storage.runs.commit(batch);
      expect(await picture(harness)).toEqual(state);
    });

    it.each(batches)('with $name changes nothing of what others did in between', async ({ make }) => {
      const scene = await setUp(bench);
      const { harness, worker, other } = scene;
      const batch = worker.batch(await make(scene));
      await worker.storage.runs.commit(batch);
      await harness.deliver({ topic: 'event:paid' });
      for (const targetInstanceId of ['one', 'two', 'new', 'free']) await harness.deliver({ targetInstanceId });
      const { claimed } = await other.claim();
      const entries = claimed.map((run) => newEntry(run.instanceId, 50, { data: '"by the other"' }));
      await other.commit({ entries });
      await other.settle(...claimed.slice(0, 1).map((run) => ofClaim(run.claim, complete(run.instanceId, '"by the other"'))));
      const state = await picture(harness);
      const answer = await worker.storage.runs.commit(batch);
      expect(answer.conflicts).toEqual([]);
      expect(await picture(harness)).toEqual(state);
    });

    it('leaves no subscription with what it has ended', async () => {
      const { harness, worker } = await setUp(bench);
      const batch = worker.batch({
        subscriptions: [{ instanceId: 'one', topic: 'event:ending' }],
        settlements: [complete('one')],
      });
      await worker.storage.runs.commit(batch);
      await worker.storage.runs.commit(batch);
      expect(await harness.deliver({ topic: 'event:ending' })).toMatchObject({ outcome: 'delivered', receivers: 0 });
    });

    it('names the same conflicts and the same refusals', async () => {
      const { harness, worker, other } = await setUp(bench);
      await other.start('taken');
      await harness.deliver({ targetInstanceId: 'one' });
      await harness.cancel('two');
      const batch = worker.batch({
        starts: [newInstance('taken'), newInstance('new')],
        settlements: [park('one'), complete('two'), park('new')],
      });
      for (let round = 0; round < 3; round++) {
        const answer = await worker.storage.runs.commit(batch);
        expect(answer.conflicts).toEqual(['taken']);
        expect([...answer.refused].sort()).toEqual(['one', 'two']);
      }
      expect((await harness.get('one')).owner).toBe(worker.workerId);
      expect((await harness.get('new')).status).toBe('waiting_for_event');
    });

    it('starts nothing anew when its instance has gone on', async () => {
      const { harness, worker, other } = await setUp(bench);
      const batch = worker.batch({ starts: [newInstance('new', { owned: false })] });
      await worker.storage.runs.commit(batch);
      expect(await other.claimIds()).toEqual(['new']);
      expect((await worker.storage.runs.commit(batch)).conflicts).toEqual([]);
      expect((await harness.get('new')).owner).toBe(other.workerId);
      await other.settle(complete('new'));
      expect((await worker.storage.runs.commit(batch)).conflicts).toEqual([]);
      expect((await harness.get('new')).status).toBe('completed');
    });
  });

  describe('a settlement that comes again when the same worker has claimed the instance again', () => {
    it.each([
      { name: 'a park', settlement: park('one') },
      { name: 'a release', settlement: release('one') },
      { name: 'a stall', settlement: stall('one', 1) },
      // One that had taken effect would have left nothing to claim: something else ended its claim.
      { name: 'a completion', settlement: complete('one'), before: release('one') },
      { name: 'a cancelled end', settlement: cancelled('one'), before: release('one') },
    ])('$name, as a copy, here or through another storage', async ({ settlement, before }) => {
      const { harness, worker } = await setUp(bench);
      await worker.settle(before ?? settlement);
      await harness.deliver({ targetInstanceId: 'one' });
      expect(await worker.claimOne('one')).toMatchObject({ claim: 2 });
      await expectNoEffect(harness, worker, { settlements: [settlement] });
      expect((await worker.settle(ofClaim(2, settlement))).refused).toEqual([]);
      expect((await harness.get('one')).owner).toBeNull();
    });

    it('with the start of the instance, as a copy, here or through another storage', async () => {
      const { harness, worker } = await setUp(bench);
      const batch = {
        starts: [newInstance('new'), newInstance('short')],
        entries: [newEntry('new', 1), newEntry('short', 1)],
        subscriptions: [{ instanceId: 'new', topic: 'event:paid' }],
        settlements: [park('new'), release('short')],
      };
      expect(await worker.commit(batch)).toMatchObject({ conflicts: [], refused: [] });
      await expectNoEffect(harness, worker, batch);
      await harness.deliver();
      const { claimed } = await worker.claim();
      expect(claimed.map(({ claim }) => claim)).toEqual([2, 2]);
      await expectNoEffect(harness, worker, batch);
    });
  });

  describe('other calls that are made twice', () => {
    it('heartbeat, reading of signals, cancel and deliver', async () => {
      const { harness, worker } = await setUp(bench);
      const event = harness.event({ targetInstanceId: 'one' });
      await harness.deliver(event);
      await harness.cancel('one', 'x');
      const state = await picture(harness);
      const signals = await worker.signals(['one', 'two']);
      expect(await worker.signals(['one', 'two'])).toEqual(signals);
      expect((await harness.deliver(event)).outcome).toBe('duplicate');
      expect((await harness.cancel('one', 'y')).outcome).toBe('already');
      expect((await worker.upkeep()).alive).toBe(true);
      expect((await worker.upkeep()).alive).toBe(true);
      expect(await picture(harness)).toEqual(state);
    });

    it('register and retire', async () => {
      const { harness, worker, other } = await setUp(bench);
      const state = await picture(harness);
      await worker.register();
      await worker.register();
      expect(await picture(harness)).toEqual(state);
      expect((await worker.retire()).released).toBe(2);
      expect((await other.claim()).claimed).toHaveLength(2);
      const claimed = await picture(harness);
      expect((await worker.retire()).released).toBe(0);
      expect(await picture(harness)).toEqual(claimed);
    });
  });
}

/** Two instances owned by `worker`, each with an entry and two pieces of mail that were seen. */
async function setUp(bench: Bench): Promise<Scene> {
  const harness = await bench.harness();
  const [worker, other] = [await harness.worker(), await harness.worker()];
  await worker.commit({
    starts: [newInstance('one'), newInstance('two')],
    entries: [newEntry('one', 1), newEntry('two', 2)],
  });
  for (const targetInstanceId of ['one', 'two', 'one', 'two']) await harness.deliver({ targetInstanceId });
  await worker.signals(['one', 'two']);
  return { harness, worker, other };
}

/** Commits it as a process would that had it from elsewhere: nothing but what it says can tell that it comes again. */
async function expectNoEffect(harness: StorageHarness, worker: TestWorker, batch: PartialBatch): Promise<void> {
  const state = await picture(harness);
  for (const storage of [worker.storage, await harness.open()]) {
    const twin = new TestWorker(storage, worker.workerId, worker.workflowNames);
    expect(await twin.commit(structuredClone(batch))).toMatchObject({ conflicts: [], refused: [] });
    expect(await picture(harness)).toEqual(state);
  }
}

async function firstMail({ worker }: Scene, instanceId: string): Promise<ProgressBatch['takenMail']> {
  const [signals] = await worker.signals(instanceId);
  return [{ instanceId, mailId: signals!.mail[0]!.mailId }];
}

/** All that can be seen of all instances of these cases. */
async function picture(harness: StorageHarness): Promise<unknown> {
  const { instances, runs } = await harness.storage();
  const shown: Record<string, unknown> = {};
  for (const instanceId of ['one', 'two', 'new', 'free', 'short']) {
    shown[instanceId] = {
      record: await instances.get(instanceId),
      history: await runs.history({ instanceId, afterSeq: 0, limit: 1000 }),
      mail: await runs.mail({ instanceId, topic: 'event:paid', afterMailId: null, limit: 1000 }),
    };
  }
  return shown;
}
