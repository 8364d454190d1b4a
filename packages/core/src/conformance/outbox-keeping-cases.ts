// Cases: what a person sees of the outbox, takes back and clears away, and what that does to the streams.
import { describe, expect, it } from 'vitest';
import type { OutboxFilter } from '../ports/index.js';
import { newOutboxEvent } from './effect-cases.js';
import type { Bench } from './storage-harness.js';
import { claim, everything, ids, list, one, settle, stage } from './outbox-stage.js';

const hour = 3_600_000;

export function outboxKeepingCases(bench: Bench): void {
  describe('the outbox', () => {
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

    it('goes on with the next of a stream when the first is purged', async () => {
      const { worker, write } = await stage(bench);
      await write('e1');
      await write('e2');
      await write('e3');
      const { outbox } = worker.storage;
      expect(await outbox.purge({ ...everything, eventIds: ['e1'], limit: 10 })).toEqual({ purged: 1 });
      expect(await ids(worker, 1)).toEqual(['e2']);
      await settle(worker, { type: 'failed', eventId: 'e2', error: '"x"' });
      expect(await ids(worker)).toEqual(['e3']);
    });

    it('hands out what was taken back, and nothing from behind an event that waits for its next attempt', async () => {
      const { harness, worker, write } = await stage(bench);
      await write('e1', 'e2', 'e3');
      await ids(worker);
      const dueAt = (await worker.now()) + hour;
      await settle(
        worker,
        { type: 'failed', eventId: 'e1', error: '"x"' },
        { type: 'retry', eventId: 'e2', dueAt, error: '"y"' },
        { type: 'release', eventId: 'e3' },
      );
      const { outbox } = worker.storage;
      expect((await outbox.requeue({ ...everything, eventIds: ['e1'], limit: 10 })).requeued).toBe(1);
      expect(await ids(worker)).toEqual(['e1']);
      await settle(worker, { type: 'sent', eventId: 'e1' });
      expect(await claim(worker)).toMatchObject({ events: [], nextDueAt: dueAt });
      expect(await one(harness, 'e3')).toMatchObject({ status: 'pending' });
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
