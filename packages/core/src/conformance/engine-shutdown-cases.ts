// Cases: starting and stopping, twice, too early, under load, and without a database.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, NotRunningError, Romancy, silentLogger, StorageUnavailableError } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

export function shutdownCases(bench: EngineBench): void {
  describe('an app', () => {
    it('under load stops in time, and leaves nothing locked and nothing running', async () => {
      const harness = await bench.harness();
      let inside = 0;
      const workflow = defineWorkflow('loaded', async (ctx, index: number) => {
        for (let step = 0; ; step++) {
          await ctx.run('step', async () => {
            inside++;
            for (let turn = 0; turn < index % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
            inside--;
          });
          if (step % 3 === 2) await ctx.sleep(harness.span(50, 5));
        }
      });
      const app = await harness.app({ workflows: [workflow], concurrency: 40, leaseDuration: '1h' });
      const starting = Promise.all(Array.from({ length: 120 }, (_, index) => app.romancy.startWorkflow(workflow, index)));
      await harness.drive(starting);
      for (let moment = 0; moment < 20; moment++) await harness.tick();
      await harness.drive(app.romancy.stop({ timeout: '30s' }));
      expect(app.romancy.status()).toMatchObject({ state: 'stopped', running: 0 });
      expect(app.logger.matching('before all runs came to rest')).toEqual([]);
      expect(inside).toBe(0);
      const commits = app.storage.count('runs.commit');
      const looking = await harness.app();
      const { instances } = await looking.romancy.list({ limit: 1000 });
      expect(instances).toHaveLength(120);
      expect(instances.filter(({ workerId, status }) => workerId !== null || status === 'running')).toEqual([]);
      for (let moment = 0; moment < 20; moment++) await harness.tick();
      expect(app.storage.count('runs.commit')).toBe(commits);
    });

    it('begins no activity from the moment on in which it is told to stop, also while it waits for an answer', async () => {
      const harness = await bench.harness();
      const [underWay, ends, answered] = [gate(), gate(), gate()];
      const by: string[] = [];
      const workflow = (name: string) =>
        defineWorkflow('in the middle', async (ctx) => {
          await ctx.run('one', async () => {
            by.push(`one by ${name}`);
            underWay.open();
            await ends.opened;
          });
          await ctx.run('two', () => void by.push(`two by ${name}`));
        });
      const first = workflow('first');
      const app = await harness.app({ workflows: [first], leaseDuration: '1h' });
      const { instanceId } = await app.romancy.startWorkflow(first);
      await harness.drive(underWay.opened);
      let isClaiming = false;
      app.storage.plan = { before: ({ name }) => (name === 'runs.claim' ? ((isClaiming = true), answered.opened) : undefined) };
      await harness.leap('1h');
      await harness.until(() => isClaiming);
      const stopped = app.romancy.stop();
      ends.open();
      // It hands the instance over while it still waits.
      await harness.until(async () => (await app.storage.instances.get(instanceId))?.status === 'pending');
      answered.open();
      await harness.drive(stopped);
      const other = await harness.app({ workflows: [workflow('second')] });
      await harness.drive(other.romancy.getHandle(instanceId).result());
      expect(by).toEqual(['one by first', 'two by second']);
    });

    it('that was stopped has no timer left', async (context) => {
      const harness = await bench.harness();
      const clock = harness.manualClock(context, 'timers are counted where the clock is the test’s');
      const workflow = defineWorkflow('brief', async (ctx) => {
        await ctx.run('step', () => 1, { timeout: '5m' });
        await Promise.race([ctx.run('quick', () => 1), ctx.sleep('1h'), ctx.waitEvent('never', { timeout: '2h' })]);
        await ctx.sleep('3h');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      const waiting = harness.failure(handle.result({ timeout: '9h' }));
      await harness.untilAsleep(app, handle.instanceId);
      expect(clock.pendingTimers).toBeGreaterThan(0);
      await harness.drive(app.romancy.stop());
      expect(await waiting).toBeInstanceOf(NotRunningError);
      expect(clock.pendingTimers).toBe(0);
    });

    it('stops once, however often and whenever it is told to', async () => {
      const harness = await bench.harness();
      const app = await harness.app();
      const both = [app.romancy.stop(), app.romancy.stop({ timeout: 0 })];
      await harness.drive(Promise.all(both));
      await harness.drive(app.romancy.stop());
      expect(app.storage.count('leases.retire')).toBe(1);
      const never = harness.unstarted();
      await harness.drive(never.romancy.stop());
      expect(never.romancy.status().state).toBe('stopped');
      for (const { romancy } of [app, never]) expect(await harness.failure(romancy.start())).toBeInstanceOf(NotRunningError);
    });

    it('has its storage for itself, and nobody takes it away', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('any', () => 1);
      const app = await harness.app({ workflows: [workflow] });
      const other = new Romancy({ storage: app.storage, logger: silentLogger });
      const third = new Romancy({ storage: app.storage, logger: silentLogger });
      const refusal = await harness.failure(other.start());
      expect(refusal).toMatchObject({ code: 'CONFIGURATION', option: 'storage' });
      expect((refusal as Error).message).toContain('another app');
      expect(other.status().state).toBe('new');
      await harness.drive(third.stop());
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toBe(1);
      await harness.drive(app.romancy.stop());
      // Then it is free: for one that waited for that, too.
      const next = new Romancy({
        storage: app.storage,
        logger: silentLogger,
        workflows: [workflow],
        ...(harness.clock === undefined ? {} : { clock: harness.clock }),
      });
      await harness.drive(next.start());
      expect(await harness.drive((await next.startWorkflow(workflow)).result())).toBe(1);
      await harness.drive(Promise.all([next.stop(), other.stop()]));
    });

    it('takes calls while it runs only, and says what it is otherwise', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('any', () => 1);
      const app = harness.unstarted({ workflows: [workflow] });
      const calls = [
        () => app.romancy.startWorkflow(workflow),
        () => app.romancy.get('x'),
        () => app.romancy.list(),
        () => app.romancy.cancel('x'),
        () => app.romancy.sendEvent({ type: 't', source: 's' }),
        () => app.romancy.getHandle('x').result(),
        () => app.romancy.getHandle('x').status(),
      ];
      for (const call of calls) expect(((await harness.failure(call())) as Error).message).toContain('not started');
      // While it starts, calls wait until it has.
      const started = app.romancy.start();
      const early = app.romancy.startWorkflow(workflow);
      await harness.drive(started);
      expect(await harness.drive((await harness.drive(early)).result())).toBe(1);
      expect(await harness.drive(app.romancy.start())).toBeUndefined();
      await harness.drive(app.romancy.stop());
      for (const call of calls) {
        const refusal = await harness.failure(call());
        expect(refusal).toBeInstanceOf(NotRunningError);
        expect((refusal as Error).message).toContain('stopped');
      }
    });

    it.for(['open', 'leases.register'] as const)(
      'is stopped while it starts, also when %s does not get through',
      async (where) => {
        const harness = await bench.harness();
        const app = harness.unstarted();
        const tried = gate();
        app.storage.plan = {
          fault: ({ name }) => {
            if (name !== where) return undefined;
            tried.open();
            return { fail: 'before' };
          },
        };
        const started = harness.failure(app.romancy.start());
        await harness.drive(tried.opened);
        await harness.drive(app.romancy.stop());
        expect(await started).toBeInstanceOf(NotRunningError);
        expect(app.romancy.status().state).toBe('stopped');
      },
    );

    it('that cannot reach its database for half a minute says so, and can be started later', async (context) => {
      const harness = await bench.harness();
      const clock = harness.manualClock(context, 'half a minute is long where time is real');
      const workflow = defineWorkflow('late', () => 'done');
      for (const where of ['open', 'leases.register'] as const) {
        const app = harness.unstarted({ workflows: [workflow] });
        app.storage.plan = { fault: ({ name }) => (name === where ? { fail: 'before' } : undefined) };
        const refusal = await harness.failure(app.romancy.start());
        expect(refusal).toBeInstanceOf(StorageUnavailableError);
        expect((refusal as Error).message).toContain('30 s');
        expect(app.romancy.status().state).toBe('new');
        expect(clock.pendingTimers).toBe(0);
        app.storage.plan = {};
        await harness.drive(app.romancy.start());
        expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toBe('done');
        await harness.drive(app.romancy.stop());
      }
    });

    it('waits for activities no longer than it was told; their instances go on elsewhere at once', async () => {
      const harness = await bench.harness();
      const [begun, never] = [gate(), gate()];
      let reason: unknown;
      const workflow = (name: string) =>
        defineWorkflow('stubborn', (ctx) =>
          ctx.run('long', async ({ signal }) => {
            if (name === 'second') return name;
            signal.addEventListener('abort', () => void (reason = signal.reason));
            begun.open();
            await never.opened;
            return name;
          }),
        );
      const [stubborn, willing] = [workflow('first'), workflow('second')];
      const first = await harness.app({ workflows: [stubborn], leaseDuration: '1h' });
      const second = await harness.app({ workflows: [willing], leaseDuration: '1h' });
      const { instanceId } = await first.romancy.startWorkflow(stubborn);
      await harness.drive(begun.opened);
      await harness.drive(first.romancy.stop({ timeout: 100 }));
      expect(reason).toBeInstanceOf(NotRunningError);
      expect(first.logger.matching('before all runs came to rest')).toHaveLength(1);
      expect(await harness.drive(second.romancy.getHandle(instanceId).result())).toBe('second');
      never.open();
      await harness.tick();
      const history = await second.storage.runs.history({ instanceId, afterSeq: 0, limit: 10 });
      expect(history.map(({ data }) => data)).toEqual(['"second"']);
    });

    it('stops in time without its database too, and lets nobody wait', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('down', async (ctx) => {
        for (;;) await ctx.run('step', () => 1);
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      for (let moment = 0; moment < 5; moment++) await harness.tick();
      app.storage.setDown(true);
      await harness.until(() => !app.romancy.status().storageAvailable);
      const waiting = [
        harness.failure(handle.result()),
        harness.failure(app.romancy.getHandle(handle.instanceId).result()),
        harness.failure(handle.cancel()),
        harness.failure(app.romancy.sendEvent({ type: 't', source: 's' })),
        harness.failure(app.romancy.startWorkflow(workflow)),
      ];
      await harness.drive(app.romancy.stop({ timeout: 200 }));
      expect(app.romancy.status().state).toBe('stopped');
      for (const refusal of await Promise.all(waiting)) expect(refusal).toBeInstanceOf(NotRunningError);
      const calls = app.storage.count();
      for (let moment = 0; moment < 20; moment++) await harness.tick();
      expect(app.storage.count()).toBe(calls);
      if (harness.clock !== undefined) expect(harness.clock.pendingTimers).toBe(0);
    });
  });
}
