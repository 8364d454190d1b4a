// Cases: waiting for events, which come before, during and after the wait.
import { describe, expect, it } from 'vitest';
import {
  defineWorkflow,
  InstanceFinishedError,
  InstanceNotFoundError,
  WaitTimeoutError,
  type ReceivedEvent,
  type StandardSchema,
} from '../index.js';
import type { EngineBench } from './engine-harness.js';

export function eventCases(bench: EngineBench): void {
  describe('an event', () => {
    it('comes with all its attributes, the same on replay', async () => {
      const harness = await bench.harness();
      const seen: ReceivedEvent[] = [];
      const workflow = defineWorkflow('attributes', async (ctx) => {
        const event = await ctx.waitEvent<{ amount: bigint }>('payment.completed');
        seen.push(event);
        await ctx.sleep(harness.span('1d', 40));
        return event;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_event');
      const sent = {
        id: 'event-1',
        type: 'payment.completed',
        source: '/payments',
        subject: 'order-7',
        time: '2026-01-31T12:00:00Z',
        data: { amount: 10n ** 20n },
        extensions: { partition: 3, traced: true, tenant: 'a' },
      };
      expect(await harness.drive(app.romancy.sendEvent(sent))).toEqual({
        eventId: 'event-1',
        duplicate: false,
        receivers: 1,
        started: [],
      });
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1d');
      const result = await harness.drive(handle.result());
      expect(seen).toHaveLength(2);
      for (const event of [...seen, result]) expect(event).toEqual({ ...sent, time: new Date(sent.time) });
    });

    it('sent before the wait is received: by a subscriber, and by whom it is addressed to', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('two waits', async (ctx) => {
        const first = await ctx.waitEvent<number>('count');
        await ctx.sleep(harness.span('1h', 60));
        const others = [
          await ctx.waitEvent<number>('count'),
          await ctx.waitEvent<number>('count'),
          await ctx.waitEvent<number>('other'),
        ];
        return [first, ...others].map(({ data }) => data);
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      const { instanceId } = handle;
      const send = async (type: string, data: number, to?: string): Promise<number> =>
        (await harness.drive(app.romancy.sendEvent({ type, source: 's', data, ...(to === undefined ? {} : { instanceId: to }) })))
          .receivers;
      await harness.untilStatus(app, instanceId, 'waiting_for_event');
      expect(await send('count', 1)).toBe(1);
      await harness.untilStatus(app, instanceId, 'waiting_for_timer');
      // Asleep: it subscribed to the one type before, and to the other it did not, so only what is addressed to it is kept.
      expect(await send('count', 2)).toBe(1);
      expect(await send('other', 3)).toBe(0);
      expect(await send('other', 4, instanceId)).toBe(1);
      expect(await send('count', 5, instanceId)).toBe(1);
      await harness.leap('1h');
      expect(await harness.drive(handle.result())).toEqual([1, 2, 5, 4]);
    });

    it('that does not come in time is an error, the same on replay', async () => {
      const harness = await bench.harness();
      const seen: unknown[] = [];
      const workflow = defineWorkflow('impatient', async (ctx) => {
        const before = ctx.now();
        const error = await ctx.waitEvent('never', { timeout: harness.span('5m', 50) }).catch((caught: unknown) => caught);
        const waited = ctx.now() - before;
        seen.push(error instanceof WaitTimeoutError && [error.waitedFor, error.timeoutMs, waited]);
        await ctx.sleep(harness.span('1d', 40));
        return seen.at(-1);
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_event');
      await harness.leap('5m');
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1d');
      const timeoutMs = Number(harness.span(300_000, 50));
      expect(await harness.drive(handle.result())).toEqual(['never', timeoutMs, expect.any(Number)]);
      expect(seen).toHaveLength(2);
      expect(seen[1]).toEqual(seen[0]);
      expect((seen[0] as number[])[2]).toBeGreaterThanOrEqual(timeoutMs);
    });

    it('reaches all who wait for its type, or the one that it is addressed to', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('crowd', async (ctx) => (await ctx.waitEvent<string>('news')).data);
      const apps = [await harness.app({ workflows: [workflow] }), await harness.app({ workflows: [workflow] })];
      const handles = await harness.drive(
        Promise.all(Array.from({ length: 10 }, (_, index) => apps[index % 2]!.romancy.startWorkflow(workflow))),
      );
      for (const { instanceId } of handles) await harness.untilStatus(apps[0]!, instanceId, 'waiting_for_event');
      const one = handles[3]!;
      const addressed = apps[0]!.romancy.sendEvent({ type: 'news', source: 's', data: 'for one', instanceId: one.instanceId });
      expect((await harness.drive(addressed)).receivers).toBe(1);
      expect(await harness.drive(one.result())).toBe('for one');
      expect((await harness.drive(apps[1]!.romancy.sendEvent({ type: 'news', source: 's', data: 'for all' }))).receivers).toBe(9);
      const results = await harness.drive(Promise.all(handles.map((handle) => handle.result())));
      expect(results).toEqual(handles.map((handle) => (handle === one ? 'for one' : 'for all')));
    });

    it('of the same source and id has one effect', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('counting', async (ctx) => {
        const got = [(await ctx.waitEvent<string>('tick')).data, (await ctx.waitEvent<string>('tick')).data];
        return got;
      });
      const apps = [await harness.app({ workflows: [workflow] }), await harness.app({ workflows: [workflow] })];
      const handle = await apps[0]!.romancy.startWorkflow(workflow);
      await harness.untilStatus(apps[0]!, handle.instanceId, 'waiting_for_event');
      const send = (index: number, id: string) => apps[index % 2]!.romancy.sendEvent({ id, type: 'tick', source: 's', data: id });
      const answers = await harness.drive(Promise.all(Array.from({ length: 10 }, (_, index) => send(index, 'one'))));
      expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect((await harness.drive(send(0, 'two'))).duplicate).toBe(false);
      expect(await harness.drive(handle.result())).toEqual(['one', 'two']);
    });

    it('for an instance that is not there, or has ended, is refused', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('over', () => 1);
      const app = await harness.app({ workflows: [workflow] });
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      await harness.drive(app.romancy.getHandle(instanceId).result());
      const event = { type: 't', source: 's' };
      expect(await harness.failure(app.romancy.sendEvent({ ...event, instanceId: 'nobody' }))).toBeInstanceOf(
        InstanceNotFoundError,
      );
      const late = await harness.failure(app.romancy.sendEvent({ ...event, instanceId }));
      expect(late).toBeInstanceOf(InstanceFinishedError);
      expect(late).toMatchObject({ instanceId, status: 'completed' });
    });

    it('whose data does not fit the schema of the wait is received, and told as an error', async () => {
      const harness = await bench.harness();
      const number: StandardSchema<unknown, number> = {
        '~standard': {
          version: 1,
          vendor: 'tests',
          validate: async (value) =>
            typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: 'is no number', path: ['amount'] }] },
        },
      };
      const workflow = defineWorkflow('strict', async (ctx) => {
        const bad = await ctx.waitEvent('sum', { schema: number }).catch((error: unknown) => (error as { code: string }).code);
        const good = await ctx.waitEvent('sum', { schema: number });
        return [bad, good.data];
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      for (const data of ['much', 21]) {
        await harness.drive(app.romancy.sendEvent({ type: 'sum', source: 's', data, instanceId: handle.instanceId }));
      }
      expect(await harness.drive(handle.result())).toEqual(['VALIDATION', 42]);
    });

    it('is found behind hundreds that nobody waits for', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('buried', async (ctx) => {
        await ctx.sleep(harness.span('1h', 300));
        const [one, two] = await Promise.all([ctx.waitEvent<string>('wanted'), ctx.waitEvent<string>('also wanted')]);
        return [one.data, two.data];
      });
      const app = await harness.app({ workflows: [workflow], maxMessagesPerBatch: 10 });
      const handle = await app.romancy.startWorkflow(workflow);
      const { instanceId } = handle;
      await harness.untilStatus(app, instanceId, 'waiting_for_timer');
      const types = [...Array<string>(60).fill('noise'), 'wanted', ...Array<string>(60).fill('noise'), 'also wanted'];
      for (const type of types) await harness.drive(app.romancy.sendEvent({ type, source: 's', data: type, instanceId }));
      await harness.leap('1h');
      expect(await harness.drive(handle.result())).toEqual(['wanted', 'also wanted']);
    });
  });
}
