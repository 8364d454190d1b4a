// Cases: events leave stream by stream in the order in which they were written, and none is lost or sent twice without need.
import { describe, expect, it } from 'vitest';
import {
  LeaseLostError,
  type EventResult,
  type NewOutboxEvent,
  type OutboxFilter,
  type OutboxRecord,
  type OutboxStore,
} from '../ports/index.js';
import { newOutboxEvent } from './effect-cases.js';
import { step } from './message-stage.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import type { TestWorker } from './test-worker.js';

const hour = 3_600_000;
const everything: OutboxFilter = { status: undefined, eventIds: undefined, type: undefined, before: undefined };

type ListRequest = Parameters<OutboxStore['list']>[0];

interface OutboxStage {
  readonly harness: StorageHarness;
  /** Owns the instance that writes. */
  readonly worker: TestWorker;
  readonly other: TestWorker;
  /** Writes events, all by one entry. */
  readonly write: (...events: readonly (string | NewOutboxEvent)[]) => Promise<void>;
}

export function outboxCases(bench: Bench): void {
  describe('the outbox', () => {
    it('hands out events in the order in which they were written, with all that belongs to them', async () => {
      const { worker, write } = await stage(bench);
      await write('a1', newOutboxEvent('b1', { stream: 'b', type: 't', source: 'ü', data: '{"x":"𝄞"}' }));
      await write('a2');
      const { events, nextDueAt } = await claim(worker);
      expect(events).toEqual([
        { ...newOutboxEvent('a1'), attempts: 0, failedSince: null },
        { ...newOutboxEvent('b1', { stream: 'b', type: 't', source: 'ü', data: '{"x":"𝄞"}' }), attempts: 0, failedSince: null },
        { ...newOutboxEvent('a2'), attempts: 0, failedSince: null },
      ]);
      expect(nextDueAt).toBeNull();
      expect((await claim(worker)).events).toEqual([]);
    });

    it('never gives two relayers events of one stream', async () => {
      const { worker, other, write } = await stage(bench);
      await write('a1', 'a2', newOutboxEvent('b1', { stream: 'b' }));
      expect(await ids(worker, 1)).toEqual(['a1']);
      // a2 comes after a1, which somebody has.
      expect(await ids(other)).toEqual(['b1']);
      await settle(worker, { type: 'sent', eventId: 'a1' });
      expect(await ids(other)).toEqual(['a2']);
    });

    it('is claimed by many at once: each event by one, and of each stream one after the other', async () => {
      const { harness, worker, write } = await stage(bench);
      const relayers = await Promise.all([0, 1, 2, 3].map(() => harness.worker()));
      const streams = ['a', 'b', 'c', 'd', 'e'];
      for (let n = 0; n < 6; n++) await write(...streams.map((stream) => newOutboxEvent(`${stream}${n}`, { stream })));
      const sent: string[] = [];
      const relay = async (relayer: TestWorker, limit: number): Promise<void> => {
        for (let round = 0; sent.length < 30 && round < 500; round++) {
          const claimed = await ids(relayer, limit);
          sent.push(...claimed);
          await settle(relayer, ...claimed.map((eventId) => ({ type: 'sent', eventId }) as const));
          await new Promise<void>((resolve) => void setImmediate(resolve));
        }
      };
      await Promise.all(relayers.map((relayer, index) => relay(relayer, index + 1)));
      expect([...sent].sort()).toEqual(streams.flatMap((stream) => [0, 1, 2, 3, 4, 5].map((n) => `${stream}${n}`)));
      for (const stream of streams) {
        const ofOne = sent.filter((id) => id.startsWith(stream));
        expect(ofOne).toEqual([...ofOne].sort());
      }
      expect((await claim(worker)).nextDueAt).toBeNull();
    });

    it('keeps a stream back while its oldest waits for another attempt, and others not', async () => {
      const { harness, worker, write } = await stage(bench);
      await write('a1', 'a2', newOutboxEvent('b1', { stream: 'b' }));
      const { now } = await claim(worker);
      await settle(
        worker,
        { type: 'retry', eventId: 'a1', dueAt: now + 150, error: '"first"' },
        { type: 'release', eventId: 'a2' },
        { type: 'release', eventId: 'b1' },
      );
      expect(await one(harness, 'a1')).toMatchObject({
        status: 'pending',
        attempts: 1,
        error: '"first"',
        dueAt: now + 150,
        endedAt: null,
      });
      const next = await claim(worker);
      expect(next.events).toMatchObject([{ eventId: 'b1', attempts: 0, failedSince: null }]);
      expect(next.nextDueAt).toBe(now + 150);
      expect((await worker.upkeep()).work?.outboxDueAt).toBe(now + 150);
      await settle(worker, { type: 'sent', eventId: 'b1' });
      await harness.pass(160);
      const again = await claim(worker);
      expect(again.events.map(({ eventId }) => eventId)).toEqual(['a1', 'a2']);
      const since = again.events[0]!.failedSince!;
      expect(again.events[0]).toMatchObject({ attempts: 1 });
      expect(since).toBeGreaterThanOrEqual(now);
      expect(since).toBeLessThanOrEqual(again.now - 150);
      await settle(worker, { type: 'retry', eventId: 'a1', dueAt: again.now - 1, error: '"second"' });
      // a2 is still with somebody.
      expect((await claim(worker)).events).toEqual([]);
      await settle(worker, { type: 'release', eventId: 'a2' });
      // The first failure stays the first.
      expect((await claim(worker)).events).toMatchObject([{ eventId: 'a1', attempts: 2, failedSince: since }, { eventId: 'a2' }]);
    });

    it.each(['failed', 'invalid'] as const)('goes on behind an event that is given up as %s', async (type) => {
      const { harness, worker, write } = await stage(bench);
      await write('a1', 'a2');
      await ids(worker, 1);
      await settle(worker, { type, eventId: 'a1', error: '"no"' });
      expect(await one(harness, 'a1')).toMatchObject({ status: type, attempts: 1, error: '"no"', dueAt: null });
      expect((await one(harness, 'a1')).endedAt).not.toBeNull();
      expect(await ids(worker)).toEqual(['a2']);
    });

    it('takes no word of a relayer that does not have the event', async () => {
      const { harness, worker, other, write } = await stage(bench);
      await write('a1');
      await ids(worker);
      await settle(other, { type: 'sent', eventId: 'a1' }, { type: 'failed', eventId: 'unknown', error: '0' });
      expect(await one(harness, 'a1')).toMatchObject({ status: 'sending', attempts: 0 });
      await settle(worker, { type: 'sent', eventId: 'a1' });
      const sent = await one(harness, 'a1');
      expect(sent).toMatchObject({ status: 'sent', attempts: 1, error: null, dueAt: null });
      await settle(worker, { type: 'failed', eventId: 'a1', error: '0' });
      expect(await one(harness, 'a1')).toEqual(sent);
    });

    it.each(['retires', 'is reaped'])('gets back what a relayer had that %s', async (how) => {
      const { harness, worker, write } = await stage(bench);
      const relayer = await harness.worker({ leaseMs: how === 'retires' ? hour : 1 });
      await write('a1', 'a2');
      expect(await ids(relayer)).toEqual(['a1', 'a2']);
      const retirement = how === 'retires' ? await relayer.retire() : undefined;
      await harness.pass(5);
      const { work, now, wakeups } = await worker.upkeep();
      const told = (retirement?.wakeups ?? wakeups).map((wakeup) => wakeup.kind === 'outbox_pending' && wakeup.eventId);
      expect([['a1'], ['a2']]).toContainEqual(told);
      expect(work?.outboxDueAt).toBeLessThanOrEqual(now);
      await expect(settle(relayer, { type: 'sent', eventId: 'a1' })).rejects.toBeInstanceOf(LeaseLostError);
      await expect(claim(relayer)).rejects.toBeInstanceOf(LeaseLostError);
      expect((await claim(worker)).events).toMatchObject([
        { eventId: 'a1', attempts: 0 },
        { eventId: 'a2', attempts: 0 },
      ]);
    });

    it('tells when there is something to send', async () => {
      const { harness, worker, write } = await stage(bench);
      const due = async (): Promise<number | null | undefined> => (await worker.upkeep()).work?.outboxDueAt;
      expect(await due()).toBeNull();
      expect(await claim(worker, 0)).toMatchObject({ events: [], nextDueAt: null });
      await write('a1', 'a2', newOutboxEvent('b1', { stream: 'b' }));
      const { createdAt, dueAt } = await one(harness, 'a1');
      expect(dueAt).toBe(createdAt);
      expect(await due()).toBe(createdAt);
      expect((await claim(worker, 0)).nextDueAt).toBe(createdAt);
      const first = await claim(worker, 1);
      expect(first.events).toHaveLength(1);
      // The other stream; what waits behind an event that somebody has is no reason to claim.
      expect(first.nextDueAt).toBe(createdAt);
      await ids(worker);
      expect(await due()).toBeNull();
    });

    it('has an event of an id once', async () => {
      const { harness, worker, write } = await stage(bench);
      await write('a1');
      await write(newOutboxEvent('a1', { data: '"other"' }), 'a2', 'a2');
      expect((await list(harness)).map(({ eventId, data }) => [eventId, data])).toEqual([
        ['a1', newOutboxEvent('a1').data],
        ['a2', newOutboxEvent('a2').data],
      ]);
      await ids(worker);
      await settle(worker, { type: 'sent', eventId: 'a1' });
      await write('a1');
      expect(await one(harness, 'a1')).toMatchObject({ status: 'sent' });
    });

    it('is listed page by page, oldest first, by what is asked for', async () => {
      const { harness, worker, write } = await stage(bench);
      for (let n = 0; n < 5; n++) await write(newOutboxEvent(`e${n}`, { stream: `${n}`, type: n % 2 === 0 ? 'even' : 'odd' }));
      const claimed = await ids(worker, 2);
      await settle(worker, { type: 'failed', eventId: claimed[0]!, error: '"x"' });
      await harness.pass(5);
      const between = await worker.now();
      await harness.pass(5);
      await write('late');
      const found = async (filter: Partial<OutboxFilter>, limit = 100, after?: string): Promise<readonly string[]> =>
        (await list(harness, { ...filter, limit, after })).map(({ eventId }) => eventId);
      expect(await found({})).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'late']);
      expect(await found({}, 2)).toEqual(['e0', 'e1']);
      expect(await found({}, 2, 'e1')).toEqual(['e2', 'e3']);
      expect(await found({}, 9, 'e3')).toEqual(['e4', 'late']);
      expect(await found({ type: 'odd' })).toEqual(['e1', 'e3']);
      expect(await found({ type: 'even' }, 1, 'e0')).toEqual(['e2']);
      expect(await found({ status: ['failed', 'sending'] })).toEqual([...claimed].sort());
      expect(await found({ status: [] })).toEqual([]);
      expect(await found({ eventIds: ['e4', 'e2', 'none'] })).toEqual(['e2', 'e4']);
      expect(await found({ eventIds: [] })).toEqual([]);
      expect(await found({ before: between })).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
      expect(await found({ before: between, type: 'even', status: ['pending'] })).not.toContain('late');
    });

    it('takes back what was given up, in its old place and without attempts', async () => {
      const { harness, worker, write } = await stage(bench);
      await write('a1', 'a2', 'a3', newOutboxEvent('b1', { stream: 'b', type: 'other' }));
      await ids(worker);
      await settle(
        worker,
        { type: 'failed', eventId: 'a1', error: '"1"' },
        { type: 'invalid', eventId: 'a2', error: '"2"' },
        { type: 'release', eventId: 'a3' },
        { type: 'failed', eventId: 'b1', error: '"b"' },
      );
      const { outbox } = worker.storage;
      expect(await outbox.requeue({ ...everything, type: 'other', status: ['invalid'], limit: 10 })).toEqual({
        requeued: 0,
        wakeups: [],
      });
      const answer = await outbox.requeue({ ...everything, type: 'order.placed', limit: 1 });
      expect(answer).toMatchObject({ requeued: 1, wakeups: [{ kind: 'outbox_pending' }] });
      expect(await one(harness, 'a1')).toMatchObject({ status: 'pending', attempts: 0, error: null, endedAt: null });
      expect((await outbox.requeue({ ...everything, eventIds: ['a2', 'a3', 'unknown'], limit: 10 })).requeued).toBe(1);
      expect((await claim(worker, 1)).events).toMatchObject([{ eventId: 'a1', attempts: 0, failedSince: null }]);
      await settle(worker, { type: 'release', eventId: 'a1' });
      expect(await ids(worker)).toEqual(['a1', 'a2', 'a3']);
      expect(await one(harness, 'b1')).toMatchObject({ status: 'failed' });
    });

    it('leaves a stream to who has a later event of it, also when an earlier one was taken back', async () => {
      const { worker, other, write } = await stage(bench);
      await write('a1', 'a2');
      await ids(worker);
      await settle(worker, { type: 'failed', eventId: 'a1', error: '0' });
      await other.storage.outbox.requeue({ ...everything, limit: 10 });
      expect(await ids(other)).toEqual([]);
      await settle(worker, { type: 'sent', eventId: 'a2' });
      expect(await ids(other)).toEqual(['a1']);
    });

    it('can be cleared of all that nobody has, up to a limit', async () => {
      const { harness, worker, write } = await stage(bench);
      await write(
        ...['a', 'b', 'c', 'd', 'e'].map((stream) => newOutboxEvent(`${stream}1`, { stream })),
        newOutboxEvent('a2', { stream: 'a' }),
      );
      const claimed = await ids(worker, 3);
      await settle(worker, { type: 'sent', eventId: claimed[0]! }, { type: 'failed', eventId: claimed[1]!, error: '0' });
      const { outbox } = worker.storage;
      expect(await outbox.purge({ ...everything, status: ['sending'], limit: 10 })).toEqual({ purged: 0 });
      expect(await outbox.purge({ ...everything, status: ['sent'], limit: 10 })).toEqual({ purged: 1 });
      expect(await outbox.purge({ ...everything, limit: 2 })).toEqual({ purged: 2 });
      expect(await outbox.purge({ ...everything, limit: 10 })).toEqual({ purged: 2 });
      expect((await list(harness)).map(({ eventId }) => eventId)).toEqual([claimed[2]]);
      await settle(worker, { type: 'sent', eventId: claimed[2]! });
      expect((await claim(worker)).nextDueAt).toBeNull();
    });

    it('lets a stream go on when the event that kept it back is cleared away', async () => {
      const { worker, write } = await stage(bench);
      await write('a1', 'a2');
      const { now } = await claim(worker, 1);
      await settle(worker, { type: 'retry', eventId: 'a1', dueAt: now + hour, error: '0' });
      expect(await ids(worker)).toEqual([]);
      await worker.storage.outbox.purge({ ...everything, eventIds: ['a1'], limit: 1 });
      expect(await ids(worker)).toEqual(['a2']);
    });
  });
}

async function stage(bench: Bench): Promise<OutboxStage> {
  const harness = await bench.harness();
  const [worker, other] = [await harness.worker(), await harness.worker()];
  await worker.start('writer');
  return {
    harness,
    worker,
    other,
    write: async (...events) => {
      const whole = events.map((event) => (typeof event === 'string' ? newOutboxEvent(event) : event));
      await step(worker, 'writer', ...whole.map((event) => ({ type: 'event', event }) as const));
    },
  };
}

function claim(worker: TestWorker, limit = 100): ReturnType<TestWorker['storage']['outbox']['claim']> {
  return worker.storage.outbox.claim({ workerId: worker.workerId, limit });
}

async function ids(worker: TestWorker, limit = 100): Promise<readonly string[]> {
  return (await claim(worker, limit)).events.map(({ eventId }) => eventId);
}

async function settle(worker: TestWorker, ...results: EventResult[]): Promise<void> {
  await worker.storage.outbox.settle({ workerId: worker.workerId, results });
}

async function list(harness: StorageHarness, request: Partial<ListRequest> = {}): Promise<readonly OutboxRecord[]> {
  return (await harness.storage()).outbox.list({ ...everything, limit: 100, after: undefined, ...request });
}

async function one(harness: StorageHarness, eventId: string): Promise<OutboxRecord> {
  const [record] = await list(harness, { eventIds: [eventId] });
  if (record === undefined) throw new Error(`there is no event ${eventId}`);
  return record;
}
