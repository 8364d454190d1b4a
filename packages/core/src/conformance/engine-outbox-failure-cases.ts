// Cases: events that cannot be sent, processes that die while they send, and a storage whose answers get lost.
import { describe, expect, it } from 'vitest';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';
import { allSent, chatty, quick, range, sink } from './engine-outbox-stage.js';

export function outboxFailureCases(bench: EngineBench): void {
  describe('the outbox', () => {
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
  });
}
