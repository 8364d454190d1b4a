// Cases: events leave stream by stream in the order in which they were written, and none is lost or sent twice without need.
import { describe, expect, it } from 'vitest';
import { LeaseLostError } from '../ports/index.js';
import { newOutboxEvent } from './effect-cases.js';
import { claim, ids, list, one, settle, stage } from './outbox-stage.js';
import type { Bench } from './storage-harness.js';
import type { TestWorker } from './test-worker.js';

const hour = 3_600_000;
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

    it('shows no error of an event that was sent, whatever the attempts before came to', async () => {
      const { harness, worker, write } = await stage(bench);
      await write('a1');
      const { now } = await claim(worker);
      await settle(worker, { type: 'retry', eventId: 'a1', dueAt: now - 1, error: '"first"' });
      await ids(worker);
      // Handed back untried, it still has it.
      await settle(worker, { type: 'release', eventId: 'a1' });
      expect(await one(harness, 'a1')).toMatchObject({ status: 'pending', attempts: 1, error: '"first"' });
      await ids(worker);
      await settle(worker, { type: 'sent', eventId: 'a1' });
      expect(await one(harness, 'a1')).toMatchObject({ status: 'sent', attempts: 2, error: null });
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
  });
}
