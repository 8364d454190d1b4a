// Cases: what processes do for each other by notes, whatever carries them, and what they do when the notes are lost, late or doubled.
import { describe, expect, it, type TestContext } from 'vitest';
import {
  defineWorkflow,
  WorkflowCancelledError,
  type NotifierStateEvent,
  type Notifier,
  type Romancy,
  type RomancyOptions,
} from '../index.js';
import { disturbed, type DisturbedNotifier } from './engine-disturbed-notifier.js';
import { gate } from './engine-gate.js';
import type { EngineBench, EngineHarness, TestApp } from './engine-harness.js';
import { seldom } from './engine-seldom.js';

export function wakeupCases(bench: EngineBench): void {
  describe('notes between processes', () => {
    it('bring a result that is awaited elsewhere at once', async (context) => {
      const { harness, notifier } = await stage(context);
      const workflow = defineWorkflow('awaited', async (ctx) => (await ctx.waitEvent<string>('go')).data);
      const asking = await healthyApp(harness, { notifier: notifier() });
      const serving = await healthyApp(harness, { notifier: notifier(), workflows: [workflow] });
      const run = await asking.romancy.startWorkflow(workflow);
      await harness.untilStatus(serving, run.instanceId, 'waiting_for_event');
      // Waited for long enough that the next look by itself is far away.
      let result: unknown;
      const awaited = run.result().then((value) => (result = value));
      await harness.leap('1h');
      for (let rounds = 0; rounds < 100; rounds++) await harness.tick();
      await harness.drive(serving.romancy.sendEvent({ type: 'go', source: 'tests', data: 'there', instanceId: run.instanceId }));
      await harness.until(() => result !== undefined);
      expect(await awaited).toBe('there');
    });

    it('bring starts, events and cancellations to the process that has the instance', async (context) => {
      const { harness, notifier } = await stage(context);
      const ended = gate<unknown>();
      const begun = gate();
      const workflow = defineWorkflow('far', async (ctx) => {
        await ctx.waitEvent('go');
        await ctx.run('long', async ({ signal }) => {
          begun.open();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          ended.open(signal.reason);
        });
      });
      const short = defineWorkflow('short', async () => null);
      const asking = await healthyApp(harness, { notifier: notifier() });
      const serving = await healthyApp(harness, { notifier: notifier(), workflows: [workflow, short] });
      const { instanceId } = await asking.romancy.startWorkflow(workflow);
      await harness.untilStatus(serving, instanceId, 'waiting_for_event');
      await harness.drive(asking.romancy.sendEvent({ type: 'go', source: 'tests', data: null }));
      await harness.drive(begun.opened);
      await harness.drive(asking.romancy.cancel(instanceId, 'enough'));
      expect(await harness.drive(ended.opened)).toBeInstanceOf(WorkflowCancelledError);
      await harness.untilStatus(asking, instanceId, 'cancelled');
      const status = (): NonNullable<ReturnType<Romancy['status']>['notifier']> => serving.romancy.status().notifier!;
      // A claim that was on its way already, or a run that was just being put away, is no answer to a note: either may have been both times.
      for (let starts = 0; starts < 20 && status().wakeupToClaimMs.p50 === null; starts++) {
        const run = await harness.drive(asking.romancy.startWorkflow(short));
        await harness.drive(run.result());
      }
      expect(status()).toMatchObject({ state: 'healthy', pollIntervalMs: 7_200_000, foundByPoll: 0 });
      const { p50, p99 } = status().wakeupToClaimMs;
      expect(p50).toBeGreaterThanOrEqual(0);
      expect(p99).toBeGreaterThanOrEqual(p50!);
    });

    it('arm the clocks of others with a timer, so that it fires though its worker is gone', async (context) => {
      const { harness, notifier } = await stage(context);
      const workflow = defineWorkflow('sleeper', async (ctx) => {
        await ctx.sleep(harness.span('30m', 700));
        return 'woken';
      });
      const [first, second] = [notifier(), notifier()];
      const setting = await healthyApp(harness, { notifier: first, workflows: [workflow] });
      const firing = await healthyApp(harness, { notifier: second, workflows: [workflow] });
      const before = second.heard;
      const { instanceId } = await setting.romancy.startWorkflow(workflow);
      await harness.untilAsleep(setting, instanceId);
      await harness.until(() => second.heard > before);
      setting.crash();
      await harness.leap('30m');
      expect(await harness.drive(firing.romancy.getHandle(instanceId).result())).toBe('woken');
    });

    it('that are late, doubled or out of order change no outcome', async (context) => {
      const { harness, notifier } = await stage(context);
      const effects = new Map<string, number>();
      const workflow = defineWorkflow('disturbed', async (ctx) => {
        const { data } = await ctx.waitEvent<number>('go');
        await ctx.run('effect', () => void effects.set(ctx.instanceId, (effects.get(ctx.instanceId) ?? 0) + 1));
        await ctx.sleep(harness.span('1m', 30));
        return data;
      });
      const notifiers = [notifier(), notifier(), notifier()];
      const apps: TestApp[] = [];
      for (const each of notifiers)
        apps.push(await healthyApp(harness, { notifier: each, workflows: [workflow], ...fallback(harness) }));
      for (const disturbance of ['duplicate', { delayMs: 120 }, 'drop'] as const) {
        for (const each of notifiers) each.disturb(disturbance);
        const runs = await Promise.all(apps.map((app) => app.romancy.startWorkflow(workflow)));
        for (const [index, run] of runs.entries()) {
          const sender = apps[(index + 1) % apps.length]!;
          await harness.untilStatus(sender, run.instanceId, 'waiting_for_event');
          const { instanceId } = run;
          await harness.drive(sender.romancy.sendEvent({ type: 'go', source: 'tests', data: index, instanceId }));
        }
        expect(await harness.drive(Promise.all(runs.map((run) => run.result())), '1m')).toEqual([0, 1, 2]);
        for (const { instanceId } of runs) expect(effects.get(instanceId)).toBe(1);
      }
    });

    it('that are all lost leave everything to be found: starts, events, timers, cancellations and results', async (context) => {
      const { harness, notifier } = await stage(context);
      const workflow = defineWorkflow('deaf', async (ctx) => {
        await ctx.sleep(harness.span('1m', 30));
        return (await ctx.waitEvent<string>('go')).data;
      });
      const [asking, serving, other] = [notifier(), notifier(), notifier()];
      for (const each of [asking, serving, other]) each.disturb('drop');
      const asks = await healthyApp(harness, { notifier: asking, ...fallback(harness) });
      const serves = await healthyApp(harness, { notifier: serving, workflows: [workflow], ...fallback(harness) });
      await healthyApp(harness, { notifier: other, workflows: [workflow], ...fallback(harness) });
      const [one, two] = [await asks.romancy.startWorkflow(workflow), await asks.romancy.startWorkflow(workflow)];
      for (const { instanceId } of [one, two]) {
        await harness.until(async () => {
          await harness.leap('10s');
          return (await asks.romancy.get(instanceId))?.status === 'waiting_for_event';
        });
      }
      await harness.drive(asks.romancy.sendEvent({ type: 'go', source: 'tests', data: 'late', instanceId: one.instanceId }));
      await harness.drive(serves.romancy.cancel(two.instanceId));
      expect(await harness.drive(one.result(), '10s')).toBe('late');
      expect(await harness.failure(two.result())).toBeInstanceOf(WorkflowCancelledError);
    });

    it('are not missed by a process that was cut off: it polls at the usual pace at once, and sweeps before it is healthy', async (context) => {
      const { harness, notifier } = await stage(context);
      const { fixture } = harness;
      harness.require(context, 'cutNotifiers', fixture.cutNotifiers !== undefined);
      const events: NotifierStateEvent[] = [];
      const paces: number[] = [];
      const workflow = defineWorkflow('cut off', () => 'done');
      let pace = (): number => 0;
      const serving = await healthyApp(harness, {
        notifier: notifier(),
        workflows: [workflow],
        workflowPollInterval: '20m',
        hooks: {
          onNotifierStateChange: (event) => {
            events.push(event);
            paces.push(pace());
            throw new Error('a hook that throws');
          },
        },
      });
      pace = () => serving.romancy.status().pollIntervalMs;
      events.length = paces.length = 0;
      const asking = await healthyApp(harness, { notifier: notifier() });
      const begun = harness.drive(fixture.cutNotifiers!());
      await harness.until(() => events.some(({ state }) => state !== 'healthy'));
      expect(serving.romancy.status().pollIntervalMs).toBe(paces[0]);
      const { instanceId } = await asking.romancy.startWorkflow(workflow);
      await begun;
      await harness.until(() => events.at(-1)?.state === 'healthy');
      await harness.untilStatus(serving, instanceId, 'completed');
      for (const [index, { state, previous, reason }] of events.entries()) {
        expect(previous).toBe(index === 0 ? 'healthy' : events[index - 1]!.state);
        expect(paces[index]).toBe(state === 'healthy' ? 7_200_000 : 1_200_000);
        expect(state).not.toBe(previous);
        expect(reason).not.toBe('');
      }
      expect(events.slice(-2).map(({ state }) => state)).toEqual(['catching_up', 'healthy']);
      expect(serving.logger.matching('hook onNotifierStateChange failed').length).toBeGreaterThan(events.length);
    });

    it('end with their process, and others find it dead by that, seconds after it died and hours before its lease ends', async (context) => {
      const { harness, notifier } = await stage(context);
      const dying = notifier();
      let attempts = 0;
      const begun = gate();
      const workflow = defineWorkflow('orphan', async (ctx) => {
        return await ctx.run('long', async () => {
          begun.open();
          if (++attempts === 1) await new Promise(() => undefined);
          return 'elsewhere';
        });
      });
      const first = await healthyApp(harness, { notifier: dying, workflows: [workflow] });
      harness.require(context, 'presence', dying.presence !== null || (await hasPresence(harness, dying)));
      const run = await first.romancy.startWorkflow(workflow);
      await harness.drive(begun.opened);
      const heir = await healthyApp(harness, { notifier: notifier(), workflows: [workflow] });
      const { workerId } = first.romancy.status();
      // The heir has heard of the runs of the other, and looks; nobody is dead yet.
      const looks = heir.storage.count('leases.upkeep');
      await harness.until(() => heir.storage.count('leases.upkeep') >= looks + 2);
      expect(heir.logger.matching('a worker is dead')).toEqual([]);
      first.crash();
      const diedAt = harness.clock?.monotonic() ?? performance.now();
      await harness.drive(dying.stop());
      expect(await harness.drive(heir.romancy.getHandle(run.instanceId).result())).toBe('elsewhere');
      expect((harness.clock?.monotonic() ?? performance.now()) - diedAt).toBeLessThan(
        harness.clock === undefined ? 15_000 : 4000,
      );
      expect(heir.logger.matching('a worker is dead')).toMatchObject([{ fields: { workerId, released: 1 } }]);
    });

    it('end with a process that only sends events as well: others soon send what it had', async (context) => {
      const { harness, notifier } = await stage(context);
      const dying = notifier();
      const begun = gate();
      const sent: string[] = [];
      const workflow = defineWorkflow('sends', (ctx) => ctx.sendEvent({ id: 'e', type: 't', source: 's' }));
      const hangs = (): Promise<void> => {
        begun.open();
        return new Promise(() => undefined);
      };
      const first = await healthyApp(harness, { notifier: dying, outbox: { send: hangs, timeout: Infinity } });
      harness.require(context, 'presence', dying.presence !== null || (await hasPresence(harness, dying)));
      const writing = await healthyApp(harness, { notifier: notifier(), workflows: [workflow] });
      await harness.drive((await writing.romancy.startWorkflow(workflow)).result());
      await harness.drive(begun.opened);
      const heir = await healthyApp(harness, { notifier: notifier(), outbox: { send: ({ id }) => void sent.push(id) } });
      for (const watching of [writing, heir]) {
        const looks = watching.storage.count('leases.upkeep');
        await harness.until(() => watching.storage.count('leases.upkeep') >= looks + 2);
      }
      first.crash();
      const diedAt = harness.clock?.monotonic() ?? performance.now();
      await harness.drive(dying.stop());
      await harness.until(() => sent.length > 0);
      expect((harness.clock?.monotonic() ?? performance.now()) - diedAt).toBeLessThan(
        harness.clock === undefined ? 15_000 : 4000,
      );
      expect(sent).toEqual(['e']);
    });

    it('that are cut while the process lives make nobody dead', async (context) => {
      const { harness, notifier } = await stage(context);
      const { fixture } = harness;
      harness.require(context, 'cutNotifiers', fixture.cutNotifiers !== undefined);
      const finish = gate();
      const begun = gate();
      let attempts = 0;
      const workflow = defineWorkflow('survivor', async (ctx) => {
        return await ctx.run('long', async () => {
          attempts++;
          begun.open();
          await finish.opened;
          return 'here';
        });
      });
      const owning = await healthyApp(harness, { notifier: notifier(), workflows: [workflow] });
      const run = await owning.romancy.startWorkflow(workflow);
      await harness.drive(begun.opened);
      const watching = await healthyApp(harness, { notifier: notifier(), workflows: [workflow] });
      await harness.drive(fixture.cutNotifiers!());
      const looks = watching.storage.count('leases.upkeep');
      await harness.until(() => watching.storage.count('leases.upkeep') >= looks + 4);
      finish.open();
      expect(await harness.drive(run.result())).toBe('here');
      expect(attempts).toBe(1);
      expect(watching.logger.matching('a worker is dead')).toEqual([]);
    });
  });

  async function stage(
    context: TestContext,
  ): Promise<{ readonly harness: EngineHarness; notifier(this: void): DisturbedNotifier }> {
    const harness = await bench.harness();
    const { fixture } = harness;
    harness.require(context, 'notifier', fixture.notifier !== undefined);
    return { harness, notifier: () => disturbed(fixture.notifier!()) };
  }
}

/** Looks often enough for a test that has no notes, and seldom enough that a note comes first. */
function fallback(harness: EngineHarness): Partial<RomancyOptions> {
  return { notifyFallbackInterval: harness.span('30s', 50), workflowPollInterval: harness.span('1h', 50) };
}

/** It comes soon after the connection, or never. */
async function hasPresence(harness: EngineHarness, notifier: Notifier): Promise<boolean> {
  for (let rounds = 0; rounds < 500 && notifier.presence === null; rounds++) await harness.tick();
  return notifier.presence !== null;
}

async function healthyApp(harness: EngineHarness, options: Partial<RomancyOptions>): Promise<TestApp> {
  const app = await harness.app({ ...seldom, ...options });
  await harness.until(() => app.romancy.status().notifier?.state === 'healthy');
  return app;
}
