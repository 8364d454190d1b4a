// Cases: what ended, was sent or was seen long ago goes, up to a limit; all else stays.
import { describe, expect, it } from 'vitest';
import type { RetentionRequest, RetentionResult } from '../ports/index.js';
import { newOutboxEvent } from './effect-cases.js';
import { drain, publish, startSubscribed, step, stepOf, topic } from './message-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { cancelled, complete, fail, newEntry, newInstance, park } from './test-worker.js';

type Until = RetentionRequest['instances'];

const nobody: Until = { completed: null, failed: null, cancelled: null, recurred: null };
const nothing: RetentionRequest = {
  instances: nobody,
  sentEvents: null,
  seenEvents: null,
  queuedMessages: null,
  mostQueued: 1_000_000,
  limit: 1000,
};
const noneGone: RetentionResult = { instances: 0, sentEvents: 0, seenEvents: 0, queuedMessages: 0, more: false };

export function retentionCases(bench: Bench): void {
  describe('retention', () => {
    it('removes nothing when nothing is to go', async () => {
      const { harness, time } = await setUp(bench);
      expect(await purge(harness, {})).toEqual(noneGone);
      expect(await purge(harness, { instances: { ...nobody, completed: time - 3_600_000 } })).toEqual(noneGone);
      for (const id of ['completed', 'failed', 'cancelled', 'open', 'away']) expect(await exists(harness, id)).toBe(true);
    });

    it.each(['completed', 'failed', 'cancelled', 'recurred'] as const)(
      'removes what ended before as %s, and that alone',
      async (status) => {
        const { harness, time } = await setUp(bench);
        expect(await purge(harness, { instances: { ...nobody, [status]: time } })).toEqual({ ...noneGone, instances: 1 });
        const { instances } = await harness.storage();
        for (const id of ['completed', 'failed', 'cancelled', 'recurred', 'open', 'away', 'goes-on']) {
          expect(await exists(harness, id)).toBe(id !== status);
          const history = await instances.history({ instanceId: id, afterSeq: 0, limit: 9 });
          expect(history.length > 0).toBe(id !== status);
        }
        expect(await instances.finished([status])).toEqual([]);
        expect(await purge(harness, { instances: { ...nobody, [status]: time } })).toEqual(noneGone);
      },
    );

    it('goes by the time of the end', async () => {
      const { harness, worker, time } = await setUp(bench);
      await harness.pass(5);
      await worker.settle(complete('open'));
      const until = { completed: time, failed: time, cancelled: time, recurred: time };
      expect((await purge(harness, { instances: until })).instances).toBe(4);
      expect([await exists(harness, 'open'), await exists(harness, 'completed')]).toEqual([true, false]);
    });

    it('leaves an id free for another instance, with a history of its own', async () => {
      const { harness, worker, time } = await setUp(bench);
      await worker.settle({ ...complete('goes-on'), claim: 2 });
      await harness.pass(5);
      // The part before it stays, and so does its history.
      expect((await purge(harness, { instances: { ...nobody, completed: (await worker.now()) + 1 } })).instances).toBe(2);
      expect(await exists(harness, 'goes-on')).toBe(false);
      const { instances } = worker.storage;
      const seqs = async (instanceId: string): Promise<readonly number[]> =>
        (await instances.history({ instanceId, afterSeq: 0, limit: 9 })).map(({ seq }) => seq);
      expect(await seqs('recurred')).toEqual([1]);
      const fresh = { starts: [newInstance('goes-on')], entries: [newEntry('goes-on', 1), newEntry('goes-on', 2)] };
      expect((await worker.commit(fresh)).conflicts).toEqual([]);
      expect([await seqs('goes-on'), await seqs('recurred')]).toEqual([[1, 2], [1]]);
      expect(await harness.get('goes-on')).toMatchObject({ continuedFrom: null, status: 'running' });
      expect((await purge(harness, { instances: { ...nobody, recurred: time } })).instances).toBe(1);
      expect(await seqs('goes-on')).toEqual([1, 2]);
    });

    it('takes a bounded number of rows at a time, an instance with its history, and says that there are more', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 6 }, (_, index) => `one-${index}`);
      await worker.commit({
        starts: ids.map((id) => newInstance(id)),
        entries: ids.flatMap((id) => [newEntry(id, 1), newEntry(id, 2), newEntry(id, 3)]),
        settlements: ids.map((id) => complete(id)),
      });
      await harness.pass(5);
      const completed = await worker.now();
      const request = { instances: { ...nobody, completed } };
      // Four rows each.
      const first = await purge(harness, { ...request, limit: 8 });
      expect(first).toMatchObject({ more: true });
      expect(first.instances).toBeGreaterThanOrEqual(1);
      expect(first.instances).toBeLessThanOrEqual(2);
      // However long the history is, one goes.
      expect(await purge(harness, { ...request, limit: 1 })).toMatchObject({ instances: 1, more: true });
      let gone = first.instances + 1;
      for (let round = 0; gone < 6 && round < 6; round++) gone += (await purge(harness, { ...request, limit: 5 })).instances;
      expect(gone).toBe(6);
      expect(await purge(harness, { ...request, limit: 5 })).toEqual(noneGone);
    });

    it('is done by several at once: each row goes once', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 40 }, (_, index) => `one-${index}`);
      await worker.commit({ starts: ids.map((id) => newInstance(id)), settlements: ids.map((id) => complete(id)) });
      await harness.pass(5);
      const completed = await worker.now();
      const storages = await Promise.all([0, 1, 2].map(() => harness.open()));
      let gone = 0;
      for (let round = 0; gone < 40 && round < 40; round++) {
        const answers = await Promise.all(
          storages.map(({ retention }) => retention.purge({ ...nothing, instances: { ...nobody, completed }, limit: 7 })),
        );
        gone += answers.reduce((sum, { instances }) => sum + instances, 0);
      }
      expect(gone).toBe(40);
    });

    it('removes events that were sent before, and no others', async () => {
      const { harness, worker } = await setUp(bench);
      const names = ['sent', 'failed', 'invalid', 'sending', 'pending', 'late'] as const;
      await step(worker, 'open', ...names.map((id) => ({ type: 'event', event: newOutboxEvent(id, { stream: id }) }) as const));
      const { outbox } = worker.storage;
      const { workerId } = worker;
      await outbox.claim({ workerId, limit: 100 });
      const error = '0';
      await outbox.settle({
        workerId,
        results: [
          { type: 'sent', eventId: 'sent' },
          { type: 'failed', eventId: 'failed', error },
          { type: 'invalid', eventId: 'invalid', error },
          { type: 'release', eventId: 'pending' },
        ],
      });
      await harness.pass(5);
      const sentEvents = await worker.now();
      await harness.pass(5);
      await outbox.settle({ workerId, results: [{ type: 'sent', eventId: 'late' }] });
      expect(await purge(harness, { sentEvents })).toEqual({ ...noneGone, sentEvents: 1 });
      const all = { status: undefined, eventIds: undefined, type: undefined, before: undefined, limit: 9, after: undefined };
      expect((await outbox.list(all)).map(({ eventId }) => eventId)).toEqual(['failed', 'invalid', 'sending', 'pending', 'late']);
      await harness.pass(5);
      expect(await purge(harness, { sentEvents: await worker.now(), limit: 1 })).toMatchObject({ sentEvents: 1, more: true });
    });

    it('forgets events that were seen before, which can then come again', async () => {
      const { harness, worker } = await setUp(bench);
      const [old, late] = [harness.event(), harness.event()];
      await harness.deliver(old);
      await harness.pass(5);
      const seenEvents = await worker.now();
      await harness.pass(5);
      await harness.deliver(late);
      expect((await harness.deliver(old)).outcome).toBe('duplicate');
      expect(await purge(harness, { seenEvents })).toEqual({ ...noneGone, seenEvents: 1 });
      expect((await harness.deliver(late)).outcome).toBe('duplicate');
      expect((await harness.deliver(old)).outcome).toBe('delivered');
      await harness.pass(5);
      expect(await purge(harness, { seenEvents: await worker.now(), limit: 1 })).toMatchObject({ seenEvents: 1, more: true });
    });

    it('removes messages queued before where nobody is subscribed, and only there', async () => {
      const { harness, worker } = await setUp(bench);
      await startSubscribed(worker, ['one'], { topic: 'channel:served', mode: 'competing' });
      const to = (of: string) => ({ topic: of });
      for (const of of [topic, 'channel:served', 'channel:other']) await publish(harness, 'old', to(of));
      await harness.pass(5);
      const queuedMessages = await worker.now();
      await harness.pass(5);
      await publish(harness, 'new');
      expect(await purge(harness, { queuedMessages })).toEqual({ ...noneGone, queuedMessages: 2 });
      expect(await drain(harness, worker, 'one', 'channel:served')).toEqual(['old']);
      await startSubscribed(worker, ['two'], { mode: 'competing' });
      expect(await drain(harness, worker, 'two')).toEqual(['new']);
    });

    it('goes by the time when a message was queued first, also when it came back', async () => {
      const { harness, worker } = await setUp(bench);
      await startSubscribed(worker, ['one'], { mode: 'competing' });
      await worker.commit(stepOf('one', [{ type: 'seek', topic }]));
      await publish(harness, 'old');
      await harness.pass(5);
      const queuedMessages = await worker.now();
      await harness.pass(5);
      await worker.settle(complete('one'));
      expect(await purge(harness, { queuedMessages })).toMatchObject({ queuedMessages: 1 });
    });

    it('leaves of a queue that nobody serves so many newest', async () => {
      const { harness, worker } = await setUp(bench);
      await startSubscribed(worker, ['one'], { topic: 'channel:served', mode: 'competing' });
      for (let n = 0; n < 6; n++) for (const of of [topic, 'channel:served']) await publish(harness, n, { topic: of });
      const request = { mostQueued: 2, limit: 3 };
      expect(await purge(harness, request)).toMatchObject({ queuedMessages: 3, more: true });
      expect(await purge(harness, request)).toMatchObject({ queuedMessages: 1, more: false });
      expect(await purge(harness, request)).toEqual(noneGone);
      await startSubscribed(worker, ['two'], { mode: 'competing' });
      expect(await drain(harness, worker, 'two')).toEqual([4, 5]);
      expect(await drain(harness, worker, 'one', 'channel:served')).toHaveLength(6);
    });

    it.each(['broadcast', 'direct'] as const)('finds nothing in the queue of a channel that was made %s', async (mode) => {
      const { harness, worker } = await setUp(bench);
      for (let n = 0; n < 3; n++) await publish(harness, n);
      await worker.storage.messages.fixMode({ topic, mode });
      expect(await purge(harness, { mostQueued: 0, queuedMessages: (await worker.now()) + 1 })).toEqual(noneGone);
    });

    it('lets a mode stay that was just asked for', async () => {
      const { harness, worker } = await setUp(bench);
      const { messages } = worker.storage;
      await messages.fixMode({ topic, mode: 'competing' });
      await purge(harness, { queuedMessages: (await worker.now()) + 1 });
      expect(await messages.fixMode({ topic, mode: 'broadcast' })).toBe('competing');
    });
  });
}

/** One instance of each kind, with a history; `time` is after all their ends. */
async function setUp(bench: Bench) {
  const harness = await bench.harness();
  const worker = await harness.worker();
  const ids = ['completed', 'failed', 'cancelled', 'goes-on', 'open', 'away'];
  await worker.commit({ starts: ids.map((id) => newInstance(id)), entries: ids.map((id) => newEntry(id, 1)) });
  const carried = newEntry('goes-on', 2, { kind: 'carried_over' });
  const recurring = { archiveId: 'recurred', input: '2', carried, keep: [], owned: true };
  await worker.settle(complete('completed'), fail('failed'), cancelled('cancelled'), park('away'), {
    type: 'recur',
    instanceId: 'goes-on',
    claim: 1,
    ...recurring,
  });
  await harness.pass(5);
  return { harness, worker, time: await worker.now() };
}

async function purge(harness: StorageHarness, request: Partial<RetentionRequest>): Promise<RetentionResult> {
  return (await harness.storage()).retention.purge({ ...nothing, ...request });
}

async function exists(harness: StorageHarness, instanceId: string): Promise<boolean> {
  return (await (await harness.storage()).instances.get(instanceId)) !== undefined;
}
