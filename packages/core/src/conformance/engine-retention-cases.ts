// Cases: what is over goes when it has been kept long enough, and nothing else does.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../app/system-clock.js';
import { defineWorkflow, type Clock, type RomancyOptions } from '../index.js';
import type { EngineBench, EngineHarness } from './engine-harness.js';

/** Where time is real nobody wants to wait a minute for a round. */
const impatientClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  schedule: (delayMs, callback, options) => systemClock.schedule(delayMs > 45_000 ? 50 : delayMs, callback, options),
};

const impatient = (harness: EngineHarness): Partial<RomancyOptions> =>
  harness.clock === undefined ? { clock: impatientClock } : {};

export function retentionCases(bench: EngineBench): void {
  describe('retention', () => {
    const completing = defineWorkflow('completing', (ctx) => ctx.run('step', () => 1));
    const failing = defineWorkflow('failing', () => Promise.reject(new Error('no')));
    const waiting = defineWorkflow('waiting', async (ctx) => (await ctx.waitEvent('go')).data);
    const workflows = [completing, failing, waiting];

    it('removes instances that ended so long ago, with their history, and no others', async () => {
      const harness = await bench.harness();
      const app = await harness.app({ workflows, retention: { completed: harness.span('1h', 1) }, ...impatient(harness) });
      const { romancy } = app;
      await harness.drive((await romancy.startWorkflow(completing, undefined, { instanceId: 'done' })).result());
      await harness.failure((await romancy.startWorkflow(failing, undefined, { instanceId: 'failed' })).result());
      await romancy.startWorkflow(waiting, undefined, { instanceId: 'open' });
      await harness.untilAsleep(app, 'open');
      await harness.leap('2h');
      await harness.until(async () => (await romancy.get('done')) === undefined);
      expect(await romancy.history('done')).toEqual([]);
      expect((await romancy.get('failed'))?.status).toBe('failed');
      await harness.drive(romancy.sendEvent({ type: 'go', source: 'tests', data: 'on', instanceId: 'open' }));
      expect(await harness.drive(romancy.getHandle('open').result())).toBe('on');
      // Its id is free again.
      const again = await romancy.startWorkflow(completing, undefined, { instanceId: 'done' });
      expect(await harness.drive(again.result())).toBe(1);
    });

    it('removes what an instance was before it recurred, and not what it is', async () => {
      const harness = await bench.harness();
      const counting = defineWorkflow('counting', async (ctx, left: number): Promise<string> => {
        await ctx.run('step', () => left);
        if (left > 0) return await ctx.recur(left - 1);
        return (await ctx.waitEvent<string>('go')).data;
      });
      const app = await harness.app({
        workflows: [counting],
        retention: { recurred: harness.span('1h', 1) },
        ...impatient(harness),
      });
      const { romancy } = app;
      const handle = await romancy.startWorkflow(counting, 2, { instanceId: 'i' });
      await harness.untilAsleep(app, 'i');
      await harness.leap('2h');
      await harness.until(async () => (await romancy.get('i~1')) === undefined && (await romancy.get('i~2')) === undefined);
      await harness.drive(romancy.sendEvent({ type: 'go', source: 'tests', data: 'on', instanceId: 'i' }));
      expect(await harness.drive(handle.result())).toBe('on');
    });

    it('removes events that were sent, and keeps those that were given up', async () => {
      const harness = await bench.harness();
      const sending = defineWorkflow('sending', async (ctx) => {
        await ctx.sendEvent({ id: 'good', type: 't', source: 's' });
        await ctx.sendEvent({ id: 'bad', type: 't', source: 's' });
      });
      const { romancy } = await harness.app({
        workflows: [sending],
        retention: { sentEvents: harness.span('1h', 1) },
        outbox: {
          send: ({ id }) => (id === 'bad' ? Promise.reject(Object.assign(new Error('400'), { retryable: false })) : undefined),
        },
        ...impatient(harness),
      });
      await harness.drive((await romancy.startWorkflow(sending)).result());
      await harness.until(async () => (await romancy.outbox.list({ status: 'invalid' })).events.length === 1);
      await harness.leap('2h');
      await harness.until(async () => (await romancy.outbox.list()).events.length === 1);
      expect((await romancy.outbox.list()).events[0]).toMatchObject({ eventId: 'bad', status: 'invalid' });
    });

    it('forgets that an event was seen, by default after 30 days and not before', async (context) => {
      const harness = await bench.harness();
      harness.manualClock(context, 'the database has a clock of its own, and nobody waits for 30 days');
      const { romancy } = await harness.app({ workflows });
      const event = { id: 'e', type: 'go', source: 'tests' };
      await harness.drive(romancy.sendEvent(event));
      await harness.leap('29d');
      for (let minutes = 0; minutes < 10; minutes++) await harness.leap('1m');
      expect((await harness.drive(romancy.sendEvent(event))).duplicate).toBe(true);
      await harness.leap('2d');
      for (let minutes = 0; minutes < 10; minutes++) await harness.leap('1m');
      expect((await harness.drive(romancy.sendEvent(event))).duplicate).toBe(false);
    });

    it('removes nothing that ended, and costs next to nothing, where nobody asked for it', async (context) => {
      const harness = await bench.harness();
      const clock = harness.manualClock(context, 'nobody waits for a year');
      const app = await harness.app({ workflows });
      await harness.drive((await app.romancy.startWorkflow(completing, undefined, { instanceId: 'done' })).result());
      await harness.leap('365d');
      const before = app.storage.count('retention.purge');
      await clock.advance('1h');
      expect(app.storage.count('retention.purge') - before).toBeLessThanOrEqual(15);
      expect((await app.romancy.get('done'))?.status).toBe('completed');
    });
  });
}
