// Cases: events of workflows leave once they are committed, in order, from whatever process sends; and what happens when they cannot.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, InvalidArgumentError, type OutgoingEvent, type OutboxOptions, type RetryOptions } from '../index.js';
import { createMemoryNotifierHub } from '../testing/index.js';
import { gate } from './engine-gate.js';
import type { EngineBench, EngineHarness, TestApp } from './engine-harness.js';

const quick: RetryOptions = { maxAttempts: 3, firstDelay: 10, factor: 1, jitter: false };

/** A sink that keeps what it gets. */
function sink(): { readonly got: OutgoingEvent[]; readonly ids: () => string[]; readonly send: OutboxOptions['send'] } {
  const got: OutgoingEvent[] = [];
  return { got, ids: () => got.map(({ id }) => id), send: (event) => void got.push(event) };
}

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

    it('sends again what a process had that died while it sent', async () => {
      const harness = await bench.harness();
      const workflow = chatty(3);
      const began = gate();
      const dying = await harness.app({
        workflows: [workflow],
        outbox: {
          send: () => {
            began.open();
            return new Promise(() => undefined);
          },
        },
      });
      await harness.drive((await dying.romancy.startWorkflow(workflow, 'source')).result());
      await harness.drive(began.opened);
      dying.crash();
      const { got, send } = sink();
      const other = await harness.app({ outbox: { send } });
      await harness.until(async () => (await other.romancy.outbox.list({ status: 'sending' })).events.length === 3);
      expect(got).toEqual([]);
      await harness.bury(dying, other);
      await allSent(harness, other, 3);
      expect(got.map(({ data }) => data)).toEqual(range(3));
    });

    it('tries again what failed, gives it up, leaves it alone, and sends it when somebody requeues it', async () => {
      const harness = await bench.harness();
      let isDown = true;
      const attempts: string[] = [];
      const told: string[] = [];
      const workflow = chatty(2);
      const app = await harness.app({
        workflows: [workflow],
        hooks: {
          onEventFailed: ({ eventId, attempt, status, error }) =>
            void told.push(`${eventId} ${attempt} ${status} ${(error as Error).message}`),
        },
        outbox: {
          retry: quick,
          send: ({ id, data }, { attempt }) => {
            attempts.push(`${id} ${attempt}`);
            if (isDown && data === 0) throw new Error('503');
          },
        },
      });
      await harness.drive((await app.romancy.startWorkflow(workflow, 's')).result());
      await harness.until(() => attempts.length >= 4);
      await allSent(harness, app, 1);
      expect(attempts).toEqual(['s:0 1', 's:0 2', 's:0 3', 's:1 1']);
      expect(told).toEqual(['s:0 3 failed 503']);
      const { events } = await app.romancy.outbox.list({ status: 'failed' });
      expect(events).toMatchObject([
        {
          eventId: 's:0',
          type: 'said',
          source: 's',
          subject: undefined,
          attempts: 3,
          dueAt: null,
          event: { id: 's:0', data: 0 },
        },
      ]);
      expect((events[0]!.error as Error).message).toBe('503');
      expect(events[0]!.endedAt).toBeInstanceOf(Date);
      await harness.leap('10d');
      for (let ticks = 0; ticks < 20; ticks++) await harness.tick();
      expect(attempts).toHaveLength(4);

      isDown = false;
      expect(await harness.drive(app.romancy.outbox.requeue({ ids: ['s:0', 's:1', 'none'] }))).toBe(1);
      await allSent(harness, app, 2);
      expect(attempts.slice(4)).toEqual(['s:0 1']);
    });

    it('does not try again what is refused for good', async () => {
      const harness = await bench.harness();
      const attempts: string[] = [];
      const workflow = chatty(2);
      const app = await harness.app({
        workflows: [workflow],
        outbox: {
          send: ({ id, data }) => {
            attempts.push(id);
            if (data === 0) throw Object.assign(new Error('400'), { retryable: false });
          },
        },
      });
      await harness.drive((await app.romancy.startWorkflow(workflow, 's')).result());
      await allSent(harness, app, 1);
      expect(attempts).toEqual(['s:0', 's:1']);
      expect((await app.romancy.outbox.list({ status: ['invalid', 'failed'] })).events).toMatchObject([
        { eventId: 's:0', status: 'invalid', attempts: 1 },
      ]);
    });

    it('is told of what a process wrote that does not send itself, and asks nobody else', async () => {
      const harness = await bench.harness();
      const hub = createMemoryNotifierHub();
      const seldom = {
        workflowPollInterval: '1h',
        timerPollInterval: '1h',
        channelTimeoutInterval: '1h',
        notifyFallbackInterval: '2h',
        leaseDuration: '10h',
      } as const;
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

    it('goes through lost answers of the storage with each event sent, and recorded as it was', async () => {
      const harness = await bench.harness();
      const workflow = chatty(5);
      const { ids, send } = sink();
      const app = await harness.app({ workflows: [workflow], outbox: { send } });
      app.storage.failNext('outbox.claim', 'after', 2);
      app.storage.failNext('outbox.settle', 'after', 2);
      await harness.drive((await app.romancy.startWorkflow(workflow, 's')).result());
      await allSent(harness, app, 5);
      expect(ids()).toEqual(range(5).map((number) => `s:${number}`));
      expect((await app.romancy.outbox.list()).events.map(({ attempts }) => attempts)).toEqual(Array(5).fill(1));
    });

    it('sends each event once, in order, while every third call of the outbox fails or loses its answer', async () => {
      const harness = await bench.harness();
      const workflow = chatty(30);
      const { got, send } = sink();
      const app = await harness.app({ workflows: [workflow], outbox: { send, batchSize: 7 } });
      app.storage.plan = {
        fault: ({ name, total }) =>
          name.startsWith('outbox.') && total % 3 === 0 ? { fail: total % 2 === 0 ? 'before' : 'after' } : undefined,
      };
      const sources = ['a', 'b', 'c', 'd'];
      await harness.drive(
        Promise.all(sources.map(async (source) => (await app.romancy.startWorkflow(workflow, source)).result())),
      );
      await harness.until(() => app.romancy.status().outbox?.sent === 120);
      app.storage.plan = {};
      await allSent(harness, app, 120);
      expect(got).toHaveLength(120);
      for (const source of sources) {
        expect(got.filter((event) => event.source === source).map(({ data }) => data)).toEqual(range(30));
      }
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

/** A workflow that sends so many events of its input as source, numbered. */
function chatty(count: number): ReturnType<typeof defineWorkflow<string, void>> {
  return defineWorkflow('chatty', async (ctx, source: string) => {
    for (const number of range(count)) await ctx.sendEvent({ id: `${source}:${number}`, type: 'said', source, data: number });
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function pause<T>(then: () => T): Promise<Awaited<T>> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
  return await then();
}

async function allSent(harness: EngineHarness, app: TestApp, count: number): Promise<void> {
  await harness.until(async () => (await app.romancy.outbox.list({ status: 'sent', limit: 1000 })).events.length >= count);
}
