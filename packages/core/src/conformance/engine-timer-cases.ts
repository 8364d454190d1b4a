// Cases: sleeps and timers, over restarts, over months, and a thousand at once.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, InvalidArgumentError } from '../index.js';
import { shortLease, type EngineBench } from './engine-harness.js';

export function timerCases(bench: EngineBench): void {
  describe('a timer', () => {
    it('of two seconds costs nothing while it runs, and is on time however rarely is polled', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('sleeper', async (ctx) => {
        const before = ctx.now();
        await ctx.sleep('2s');
        return ctx.now() - before;
      });
      const slow = { workflowPollInterval: '30s', timerPollInterval: '30s', channelTimeoutInterval: '30s' } as const;
      const app = await harness.app({ workflows: [workflow], ...slow });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      const view = await app.romancy.get(handle.instanceId);
      expect(view?.workerId).toBeNull();
      expect(app.romancy.status()).toMatchObject({ running: 0, pollIntervalMs: 30_000 });
      const [entry] = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 1, limit: 1 });
      expect(view?.wakeAt?.getTime()).toBe(entry!.dueAt);
      const slept = await harness.drive(handle.result());
      expect(slept).toBeGreaterThanOrEqual(2000);
      // Where time is real, the machine may be busy; by a poll it would be 30 s.
      expect(slept).toBeLessThan(harness.clock === undefined ? 15_000 : 2000 + 400);
    });

    it('set again in replay keeps its first time', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('staggered', async (ctx) => {
        const begun = ctx.now();
        const long = ctx.sleep(harness.span('10d', 300));
        await ctx.sleep(harness.span('1d', 30));
        await ctx.run('after a day', () => 1);
        await ctx.sleep(harness.span('1d', 30));
        await long;
        return ctx.now() - begun;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      for (const part of ['1d', '1d', '8d'] as const) {
        await harness.untilAsleep(app, handle.instanceId);
        await harness.leap(part);
      }
      const took = await harness.drive(handle.result());
      const [least, most] = harness.clock === undefined ? [300, 10_000] : [864_000_000, 864_000_100];
      expect(took).toBeGreaterThanOrEqual(least);
      expect(took).toBeLessThan(most);
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 50 });
      expect(history.filter(({ kind }) => kind === 'timer_set')).toHaveLength(3);
    });

    it('of a worker that died is fired by another at its first time', async () => {
      const harness = await bench.harness();
      let runs = 0;
      const workflow = defineWorkflow('orphan', async (ctx) => {
        const before = ctx.now();
        await ctx.run('once', () => void runs++);
        await ctx.sleep(harness.span('1h', 1500));
        return ctx.now() - before;
      });
      const first = await harness.app({ workflows: [workflow], ...shortLease });
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.untilStatus(first, instanceId, 'waiting_for_timer');
      const wakeAt = (await first.romancy.get(instanceId))?.wakeAt;
      first.crash();
      const second = await harness.app({ workflows: [workflow], ...shortLease });
      expect((await second.romancy.get(instanceId))?.wakeAt).toEqual(wakeAt);
      await harness.leap('1h');
      const slept = await harness.drive(second.romancy.getHandle<number>(instanceId).result());
      expect(slept).toBeGreaterThanOrEqual(harness.clock === undefined ? 1500 : 3_600_000);
      expect(slept).toBeLessThan(harness.clock === undefined ? 15_000 : 3_600_200);
      expect(runs).toBe(1);
    });

    it('until a moment that is past is no wait, and the numbers stay as they are', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('punctual', async (ctx) => {
        const before = ctx.now();
        await ctx.sleepUntil(new Date(before - 86_400_000));
        await ctx.sleepUntil(0);
        await ctx.sleep(0);
        const atOnce = ctx.now() - before;
        await ctx.sleepUntil(before + Number(harness.span(3_600_000, 60)));
        await ctx.run('last', () => 1);
        return atOnce;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1h');
      expect(await harness.drive(handle.result())).toBeLessThan(harness.clock === undefined ? 5000 : 500);
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 50 });
      expect(history.filter(({ kind }) => kind === 'timer_fired').map(({ callId }) => callId)).toEqual(
        [1, 2, 3, 4].map((number) => `sleep:${number}`),
      );
    });

    it('of years is kept, and fires neither early nor at once', async () => {
      const harness = await bench.harness();
      const years = 30 * 365;
      const workflow = defineWorkflow('century', async (ctx, days: number) => {
        const before = ctx.now();
        await ctx.sleep(days * 86_400_000);
        return ctx.now() - before;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handles = await Promise.all([years, 200 * 365, 50].map((days) => app.romancy.startWorkflow(workflow, days)));
      for (const { instanceId } of handles) await harness.untilStatus(app, instanceId, 'waiting_for_timer');
      for (let moment = 0; moment < 20; moment++) await harness.tick();
      for (const handle of handles) {
        expect(await handle.status()).toBe('waiting_for_timer');
        expect((await app.romancy.get(handle.instanceId))!.wakeAt!.getTime()).toBeGreaterThan(Date.now() + 40 * 86_400_000);
      }
      if (harness.clock === undefined) return;
      await harness.leap(`${years}d`);
      expect(await harness.drive(handles[0]!.result())).toBeGreaterThanOrEqual(years * 86_400_000);
      expect(await harness.drive(handles[2]!.result())).toBeGreaterThanOrEqual(50 * 86_400_000);
      expect(await handles[1]!.status()).toBe('waiting_for_timer');
    });

    it('takes durations and moments that mean something, and refuses others at the call', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('odd', async (ctx) => {
        const refusals: unknown[] = [];
        const attempts = [-1, Number.NaN, Infinity, '5 minutes', '', null, undefined].map(
          (odd) => () => ctx.sleep(odd as number),
        );
        for (const attempt of [...attempts, () => ctx.sleepUntil(new Date(Number.NaN)), () => ctx.sleepUntil(Infinity)]) {
          try {
            await attempt();
          } catch (error) {
            refusals.push((error as { code: string }).code);
          }
        }
        return refusals;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      const code = new InvalidArgumentError('', { argument: '' }).code;
      expect(await harness.drive(handle.result())).toEqual([...Array<string>(7).fill('CONFIGURATION'), code, code]);
      expect(await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 5 })).toEqual([]);
    });

    it('is not revived once its instance was cancelled', async () => {
      const harness = await bench.harness();
      let woken = 0;
      const workflow = defineWorkflow('cancelled', async (ctx) => {
        await ctx.sleep(harness.span('1h', 60));
        woken++;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.drive(handle.cancel('not needed'));
      await harness.untilStatus(app, handle.instanceId, 'cancelled');
      await harness.leap('2h');
      const later = defineWorkflow('later', (ctx) => ctx.sleep(harness.span('1h', 120)));
      const other = await harness.app({ workflows: [later, workflow] });
      const last = await other.romancy.startWorkflow(later);
      await harness.untilStatus(other, last.instanceId, 'waiting_for_timer');
      await harness.leap('1h');
      await harness.drive(last.result());
      expect(woken).toBe(0);
      expect(await app.romancy.get(handle.instanceId)).toMatchObject({ status: 'cancelled', wakeAt: null, workerId: null });
    });

    it('of a workflow that a worker does not know is left to one that does', async () => {
      const harness = await bench.harness();
      const known = defineWorkflow('known', async (ctx) => {
        await ctx.sleep(harness.span('1h', 60));
        return 'woken';
      });
      const other = defineWorkflow('other', (ctx) => ctx.sleep(harness.span('1h', 120)));
      const first = await harness.app({ workflows: [known] });
      const { instanceId } = await first.romancy.startWorkflow(known);
      await harness.untilStatus(first, instanceId, 'waiting_for_timer');
      await harness.drive(first.romancy.stop());
      const stranger = await harness.app({ workflows: [other] });
      const own = await stranger.romancy.startWorkflow(other);
      await harness.untilStatus(stranger, own.instanceId, 'waiting_for_timer');
      await harness.leap('2h');
      await harness.drive(own.result());
      expect(await stranger.romancy.getHandle(instanceId).status()).toBe('waiting_for_timer');
      expect(stranger.logger.at('error')).toEqual([]);
      const second = await harness.app({ workflows: [known] });
      expect(await harness.drive(second.romancy.getHandle(instanceId).result())).toBe('woken');
    });

    it(`is one of ${bench.options.timers} that are due in one second, and all fire, those due first before the others`, async () => {
      const harness = await bench.harness();
      const { timers } = bench.options;
      const fired: number[] = [];
      const early: number[] = [];
      const workflow = defineWorkflow('crowd', async (ctx, dueAt: number) => {
        await ctx.sleepUntil(dueAt);
        fired.push(dueAt);
        if (ctx.now() < dueAt) early.push(dueAt);
      });
      // A leap of the clock is no reason to declare somebody dead who sleeps through it.
      const app = await harness.app({ workflows: [workflow], leaseDuration: '10h' });
      const probe = defineWorkflow('now', (ctx) => ctx.now());
      const clockApp = await harness.app({ workflows: [probe], leaseDuration: '10h' });
      const now = await harness.drive((await clockApp.romancy.startWorkflow(probe)).result());
      // Where time is real, all of them must be asleep before the first is due.
      const begin = now + Number(harness.span(3_600_000, 3000 + timers));
      // In an order that is not that of their due times.
      const dues = Array.from({ length: timers }, (_, index) => begin + Math.trunc(((index * 7919) % timers) * (1000 / timers)));
      const handles = await harness.drive(Promise.all(dues.map((due) => app.romancy.startWorkflow(workflow, due))));
      await harness.until(async () => {
        const { instances } = await app.romancy.list({ status: ['pending', 'running'], limit: 1 });
        return instances.length === 0;
      });
      expect(fired).toEqual([]);
      await harness.leap('1h');
      await harness.drive(Promise.all(handles.map((handle) => handle.result())));
      expect([...fired].sort((a, b) => a - b)).toEqual([...dues].sort((a, b) => a - b));
      expect(early).toEqual([]);
      // Claimed by due time, in batches; where time is real, what is due later may overtake within a moment.
      let latest = 0;
      const overtaken = fired.filter((due) => (latest = Math.max(latest, due)) - due > (harness.clock === undefined ? 100 : 0));
      expect(overtaken).toEqual([]);
    });
  });
}
