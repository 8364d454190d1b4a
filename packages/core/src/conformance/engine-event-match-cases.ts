// Cases: events that are waited for by what is in them, and events that start workflows.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, type StandardSchema } from '../index.js';
import type { EngineBench } from './engine-harness.js';

interface Paid {
  readonly order: { readonly id: number };
  readonly parts?: readonly string[];
}

export function eventMatchCases(bench: EngineBench): void {
  describe('an event that is matched', () => {
    it('wakes the one that it fits', async () => {
      const harness = await bench.harness();
      const waiter = defineWorkflow('waiter', async (ctx, id: number) => {
        const event = await ctx.waitEvent<Paid>('paid', { match: { 'data.order.id': id } });
        return event.id;
      });
      const app = await harness.app({ workflows: [waiter] });
      const handles = await Promise.all([1, 2, 3].map((id) => app.romancy.startWorkflow(waiter, id)));
      for (const { instanceId } of handles) await harness.untilStatus(app, instanceId, 'waiting_for_event');
      const send = (id: string, data: unknown) => harness.drive(app.romancy.sendEvent({ id, type: 'paid', source: 's', data }));
      expect(await send('of another type', { order: { id: '2' } })).toMatchObject({ receivers: 0 });
      expect(await send('without it', {})).toMatchObject({ receivers: 0 });
      expect(await send('fits', { order: { id: 2 } })).toMatchObject({ receivers: 1 });
      expect(await harness.drive(handles[1]!.result())).toBe('fits');
    });

    it('must fit in all places that are named', async () => {
      const harness = await bench.harness();
      const waiter = defineWorkflow('waiter', async (ctx) => {
        const event = await ctx.waitEvent('paid', { match: { subject: 'order-1', 'data.parts[1]': 'b', 'data.done': true } });
        return event.id;
      });
      const app = await harness.app({ workflows: [waiter] });
      const handle = await app.romancy.startWorkflow(waiter);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_event');
      const send = (id: string, subject: string, data: unknown) =>
        harness.drive(app.romancy.sendEvent({ id, type: 'paid', source: 's', subject, data }));
      expect(await send('1', 'order-2', { parts: ['a', 'b'], done: true })).toMatchObject({ receivers: 0 });
      await send('2', 'order-1', { parts: ['a', 'b'], done: 'true' });
      await send('3', 'order-1', { parts: ['b'], done: true });
      await send('4', 'order-1', { parts: ['a', 'b'], done: true });
      expect(await harness.drive(handle.result())).toBe('4');
    });

    it('leaves what does not fit to other waits of the instance', async () => {
      const harness = await bench.harness();
      const waiter = defineWorkflow('waiter', async (ctx) => {
        const second = ctx.waitEvent('paid', { match: { subject: 'second' } });
        const first = await ctx.waitEvent('paid', { match: { subject: 'first' } });
        await ctx.sleep(harness.span('1h', 40));
        const any = await ctx.waitEvent('paid');
        return [first.id, (await second).id, any.id];
      });
      const app = await harness.app({ workflows: [waiter] });
      const handle = await app.romancy.startWorkflow(waiter);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_event');
      for (const [id, subject] of [
        ['a', 'second'],
        ['b', 'first'],
        ['c', 'first'],
      ] as const) {
        await harness.drive(app.romancy.sendEvent({ id, type: 'paid', source: 's', subject }));
      }
      expect(await harness.drive(handle.result(), '1h')).toEqual(['b', 'a', 'c']);
    });

    it('is refused at the call when the match can fit nothing', async () => {
      const harness = await bench.harness();
      for (const match of [
        {},
        { '': 1 },
        { 'data..b': 1 },
        { 'order.id': 1 },
        { 'data.id': 1, id2: 1 },
        { '[0]': 1 },
        { subject: {} },
        null,
      ] as never[]) {
        const waiter = defineWorkflow('waiter', (ctx) => ctx.waitEvent('paid', { match }));
        const app = await harness.app({ workflows: [waiter] });
        const error = await harness.failure((await app.romancy.startWorkflow(waiter)).result());
        expect(error).toMatchObject({ cause: { code: 'INVALID_ARGUMENT', argument: 'match' } });
        await harness.drive(app.romancy.stop());
      }
    });
  });

  describe('a workflow that starts on an event', () => {
    const shipping = defineWorkflow('shipping', async (_ctx, order: { readonly id: number }) => order.id, {
      startOn: 'order.paid',
    });

    it('starts once for each, with its data, and not again for the same event', async () => {
      const harness = await bench.harness();
      const named = defineWorkflow('order.paid', async (_ctx, order: { readonly id: number }) => -order.id, { startOn: true });
      const app = await harness.app({ workflows: [shipping, named] });
      const event = { id: '7', type: 'order.paid', source: '/orders', data: { id: 42 } };
      const receipt = await harness.drive(app.romancy.sendEvent(event));
      expect(receipt).toMatchObject({ duplicate: false, receivers: 0 });
      expect([...receipt.started].sort()).toEqual(['order.paid:/orders:7', 'shipping:/orders:7']);
      expect(await harness.drive(app.romancy.getHandle('shipping:/orders:7').result())).toBe(42);
      expect(await harness.drive(app.romancy.getHandle('order.paid:/orders:7').result())).toBe(-42);
      expect(await harness.drive(app.romancy.sendEvent(event))).toMatchObject({ duplicate: true, started: [] });
      await harness.drive(app.romancy.sendEvent({ ...event, id: '8' }));
      expect((await app.romancy.list({})).instances).toHaveLength(4);
    });

    it('is started by who does not serve it, also while nobody does', async () => {
      const harness = await bench.harness();
      const worker = await harness.app({ workflows: [shipping] });
      await harness.drive(worker.romancy.stop());
      const gateway = await harness.app({ workflows: [] });
      const { started } = await harness.drive(
        gateway.romancy.sendEvent({ id: '1', type: 'order.paid', source: 's', data: { id: 5 } }),
      );
      expect(started).toEqual(['shipping:s:1']);
      await harness.app({ workflows: [shipping] });
      expect(await harness.drive(gateway.romancy.getHandle('shipping:s:1').result())).toBe(5);
    });

    it('fails when its schema refuses the data', async () => {
      const harness = await bench.harness();
      const schema: StandardSchema<{ readonly id: number }> = {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) =>
            typeof (value as { id?: unknown } | null)?.id === 'number'
              ? { value: value as { id: number } }
              : { issues: [{ message: 'is no number', path: ['id'] }] },
        },
      };
      const strict = defineWorkflow('strict', async (_ctx, order) => order.id, { startOn: 'order.paid', input: schema });
      const app = await harness.app({ workflows: [strict] });
      await harness.drive(app.romancy.sendEvent({ id: '1', type: 'order.paid', source: 's', data: { id: 'x' } }));
      const error = await harness.failure(app.romancy.getHandle('strict:s:1').result());
      expect(error).toMatchObject({ cause: { code: 'VALIDATION', issues: [{ path: 'id', message: 'is no number' }] } });
    });
  });
}
