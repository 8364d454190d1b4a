// Cases: events of workflows leave once they are committed, in order, from whatever process sends.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, InvalidArgumentError, type OutboxOptions } from '../index.js';
import { createMemoryNotifierHub } from '../testing/index.js';
import { gate } from './engine-gate.js';
import { allSent, chatty, quick, range, sink } from './engine-outbox-stage.js';
import type { EngineBench } from './engine-harness.js';
import { seldom } from './engine-seldom.js';

export function outboxCases(bench: EngineBench): void {
  describe('the outbox', () => {
    it('sends what a workflow and its activities sent, once, however often its code is replayed', async () => {
      const harness = await bench.harness();
      const { got, send } = sink();
      const workflow = defineWorkflow('sending', async (ctx) => {
        const id = await ctx.sendEvent({
          type: 'order.begun',
          source: '/orders',
          subject: 'o-1',
          data: { at: new Date(5), n: 7n },
        });
        await ctx.sleep(harness.span('1h', 30));
        await ctx.run(
          'flaky',
          async (activity) => {
            await activity.sendEvent({
              id: `attempt ${activity.attempt}`,
              type: 'order.tried',
              source: '/orders',
              subject: 'o-1',
            });
            if (activity.attempt < 3) throw new Error('not yet');
          },
          { retry: quick },
        );
        await ctx.sleep(harness.span('1h', 30));
        await ctx.sendEvent({ id: 'last', type: 'order.done', source: '/orders', subject: 'o-1', extensions: { part: 3 } });
        return id;
      });
      const told: string[] = [];
      const app = await harness.app({
        workflows: [workflow],
        outbox: { send },
        hooks: { onEventSent: ({ eventId, attempt, subject }) => void told.push(`${eventId} ${attempt} ${subject}`) },
      });
      const id = await harness.drive((await app.romancy.startWorkflow(workflow)).result(), '1h');
      await harness.until(() => got.length >= 3);
      expect(got).toMatchObject([
        { id, type: 'order.begun', source: '/orders', subject: 'o-1', data: { at: new Date(5), n: 7n }, extensions: {} },
        { id: 'attempt 3', type: 'order.tried', data: undefined },
        { id: 'last', type: 'order.done', extensions: { part: 3 } },
      ]);
      expect(got[0]!.time).toBeInstanceOf(Date);
      await harness.until(() => told.length >= 3);
      expect(told).toEqual([`${id} 1 o-1`, 'attempt 3 1 o-1', 'last 1 o-1']);
      expect(app.romancy.status().outbox).toMatchObject({ sent: 3, givenUp: 0, holding: 0, isDown: false });
    });

    it('never sends what an activity sent that failed', async () => {
      const harness = await bench.harness();
      const { ids, send } = sink();
      const workflow = defineWorkflow('failing', async (ctx) => {
        await ctx
          .run(
            'failing',
            async (activity) => {
              await activity.sendEvent({ id: `of attempt ${activity.attempt}`, type: 't', source: 's' });
              throw new Error('no');
            },
            { retry: quick },
          )
          .catch(() => undefined);
        await ctx.sendEvent({ id: 'after', type: 't', source: 's' });
      });
      const app = await harness.app({ workflows: [workflow], outbox: { send } });
      await harness.drive((await app.romancy.startWorkflow(workflow)).result());
      await harness.until(() => ids().length > 0);
      expect(ids()).toEqual(['after']);
      expect((await app.romancy.outbox.list()).events.map(({ eventId }) => eventId)).toEqual(['after']);
    });

    it('keeps events until a process comes that sends, which two do together: each event once, in order per source', async () => {
      const harness = await bench.harness();
      const workflow = chatty(20);
      const writing = await harness.app({ workflows: [workflow] });
      const sources = Array.from({ length: 12 }, (_, index) => `source ${index}`);
      await harness.drive(
        Promise.all(
          sources.map(async (source) => (await writing.romancy.startWorkflow(workflow, source, { instanceId: source })).result()),
        ),
      );
      expect((await writing.romancy.outbox.list({ status: 'pending', limit: 1000 })).events).toHaveLength(240);
      expect(writing.romancy.status().outbox).toBeNull();
      const { got, send } = sink();
      // Each takes a turn of the event loop, so that the other has its chance.
      const slow: OutboxOptions = { batchSize: 10, send: async (event, attempt) => await pause(() => send(event, attempt)) };
      await Promise.all([harness.app({ outbox: slow }), harness.app({ outbox: slow })]);
      await harness.until(() => got.length >= 240);
      await allSent(harness, writing, 240);
      expect(got).toHaveLength(240);
      for (const source of sources) {
        expect(got.filter((event) => event.source === source).map(({ data }) => data)).toEqual(range(20));
      }
    });

    it('is told of what a process wrote that does not send itself, and asks nobody else', async () => {
      const harness = await bench.harness();
      const hub = createMemoryNotifierHub();
      const workflow = chatty(2);
      const { ids, send } = sink();
      const sending = await harness.app({ outbox: { send }, notifier: hub.createNotifier(), ...seldom });
      const writing = await harness.app({ workflows: [workflow], notifier: hub.createNotifier(), ...seldom });
      for (const { romancy } of [sending, writing]) await harness.until(() => romancy.status().notifier?.state === 'healthy');
      const before = sending.storage.count('outbox.claim');
      await harness.drive((await writing.romancy.startWorkflow(workflow, 's')).result());
      await harness.until(() => ids().length === 2);
      expect(sending.storage.count('outbox.claim') - before).toBeLessThanOrEqual(4);
      expect(hub.sent.map(({ kind }) => kind)).toContain('outbox_pending');
      const claims = sending.storage.count('outbox.claim');
      if (harness.clock !== undefined) await harness.clock.advance('30m');
      expect(sending.storage.count('outbox.claim')).toBe(claims);
    });

    it('ends what it sends when the app stops, and leaves the rest to others', async () => {
      const harness = await bench.harness();
      const [began, mayEnd] = [gate(), gate()];
      const workflow = chatty(3);
      const first = sink();
      const app = await harness.app({
        workflows: [workflow],
        outbox: {
          send: async (event, attempt) => {
            began.open();
            await mayEnd.opened;
            await first.send(event, attempt);
          },
        },
      });
      const other = await harness.app();
      await harness.drive((await app.romancy.startWorkflow(workflow, 's')).result());
      await harness.drive(began.opened);
      const stopped = app.romancy.stop();
      await harness.until(async () => (await other.romancy.outbox.list({ status: 'pending' })).events.length === 2);
      mayEnd.open();
      await harness.drive(stopped);
      expect(first.ids()).toEqual(['s:0']);
      const second = sink();
      const next = await harness.app({ outbox: { send: second.send } });
      await allSent(harness, next, 3);
      expect(second.ids()).toEqual(['s:1', 's:2']);
    });

    it('is listed by pages, and what is purged is gone', async () => {
      const harness = await bench.harness();
      const workflow = chatty(25);
      const app = await harness.app({ workflows: [workflow] });
      await harness.drive((await app.romancy.startWorkflow(workflow, 's')).result());
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await app.romancy.outbox.list({ limit: 10, cursor, type: 'said' });
        seen.push(...page.events.map(({ eventId }) => eventId));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(range(25).map((number) => `s:${number}`));
      expect((await app.romancy.outbox.list({ type: 'unsaid' })).events).toEqual([]);
      expect(await harness.drive(app.romancy.outbox.purge({ ids: ['s:3', 's:4'] }))).toBe(2);
      expect(await harness.drive(app.romancy.outbox.purge({ status: 'failed' }))).toBe(0);
      expect(await harness.drive(app.romancy.outbox.purge({ status: 'pending', before: new Date(0) }))).toBe(0);
      expect(await harness.drive(app.romancy.outbox.purge({ status: ['pending', 'sent'], type: 'said' }))).toBe(23);
      expect((await app.romancy.outbox.list()).events).toEqual([]);
    });

    it('refuses arguments that it does not know', async () => {
      const harness = await bench.harness();
      const { romancy } = await harness.app();
      const { outbox } = romancy;
      for (const call of [
        () => outbox.list({ status: 'lost' as 'sent' }),
        () => outbox.list({ limit: 0 }),
        () => outbox.list({ cursor: 'x' }),
        () => outbox.list({ type: '' }),
        () => outbox.requeue({}),
        () => outbox.requeue({ status: 'sent' as 'failed' }),
        () => outbox.requeue({ ids: 'a' as unknown as string[] }),
        () => outbox.purge({ type: 'said' }),
        () => outbox.purge({ status: 'sending' as 'sent' }),
        () => outbox.purge({ status: 'sent', before: new Date(Number.NaN) }),
      ]) {
        expect(await harness.failure(call())).toBeInstanceOf(InvalidArgumentError);
      }
      expect(await harness.failure(outbox.list({ state: 'sent' } as object))).toMatchObject({ code: 'CONFIGURATION' });
    });
  });
}

async function pause<T>(then: () => T): Promise<Awaited<T>> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
  return await then();
}
