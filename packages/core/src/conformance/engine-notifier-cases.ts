// Cases: a notifier lets processes find work of others at once; without it, or with all its notes lost, they find it by polling.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, WorkflowCancelledError, type RomancyOptions } from '../index.js';
import { createMemoryNotifierHub } from '../testing/index.js';
import { gate } from './engine-gate.js';
import type { EngineBench, EngineHarness, TestApp } from './engine-harness.js';
import { seldom } from './engine-seldom.js';

export function notifierCases(bench: EngineBench): void {
  describe('a notifier', () => {
    it('tells another process of a start, an event, a release and a cancellation at once', async () => {
      const harness = await bench.harness();
      const hub = createMemoryNotifierHub();
      const [begun, ended] = [gate(), gate<unknown>()];
      const workflow = defineWorkflow('told', async (ctx) => {
        const first = (await ctx.waitEvent<string>('go')).data;
        await ctx.run('long', async ({ signal }) => {
          begun.open();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          ended.open(signal.reason);
        });
        return first;
      });
      const asking = await healthyApp(harness, { notifier: hub.createNotifier() });
      const serving = await healthyApp(harness, { notifier: hub.createNotifier(), workflows: [workflow] });
      const { claims } = serving.romancy.status();
      const { instanceId } = await asking.romancy.startWorkflow(workflow);
      await harness.untilStatus(serving, instanceId, 'waiting_for_event');
      await harness.drive(asking.romancy.sendEvent({ type: 'go', source: 'tests', data: 'now', instanceId }));
      await harness.drive(begun.opened);
      await harness.drive(asking.romancy.cancel(instanceId, 'enough'));
      expect(await harness.drive(ended.opened)).toBeInstanceOf(WorkflowCancelledError);
      await harness.untilStatus(serving, instanceId, 'cancelled');
      // One for each thing that was told, at most, and one more when it came while another was under way.
      expect(serving.romancy.status().claims - claims).toBeLessThanOrEqual(6);
      expect(new Set(hub.sent.map(({ kind }) => kind))).toContain('workflow_resumable');
      expect(serving.romancy.status()).toMatchObject({ notifier: { state: 'healthy' }, pollIntervalMs: 7_200_000 });

      const other = await healthyApp(harness, { notifier: hub.createNotifier(), workflows: [workflow] });
      const handed = await serving.romancy.startWorkflow(workflow);
      await harness.untilStatus(serving, handed.instanceId, 'waiting_for_event');
      await harness.drive(serving.romancy.stop());
      await harness.drive(asking.romancy.sendEvent({ type: 'go', source: 'tests', data: 'on', instanceId: handed.instanceId }));
      await harness.until(async () => (await other.romancy.get(handed.instanceId))?.status === 'running');
      await harness.drive(other.romancy.cancel(handed.instanceId));
      await harness.untilStatus(other, handed.instanceId, 'cancelled');
    });

    it('tells of an end, so that a result awaited in another process is there at once', async () => {
      const harness = await bench.harness();
      const hub = createMemoryNotifierHub();
      const workflow = defineWorkflow('awaited', async (ctx) => (await ctx.waitEvent<string>('go')).data);
      const lease = { leaseDuration: '1000h' } as const;
      const asking = await healthyApp(harness, { notifier: hub.createNotifier(), ...lease });
      const serving = await healthyApp(harness, { notifier: hub.createNotifier(), workflows: [workflow], ...lease });
      const run = await asking.romancy.startWorkflow(workflow);
      await harness.untilStatus(serving, run.instanceId, 'waiting_for_event');
      let result: unknown;
      const awaited = run.result().then((value) => (result = value));
      // The longer it has waited in vain, the more seldom it looks: where time is in the test's hand, once in an hour by now.
      for (let hour = 0; hour < 20; hour++) {
        await harness.leap('1h');
        await harness.tick();
      }
      await harness.drive(serving.romancy.sendEvent({ type: 'go', source: 'tests', data: 'there', instanceId: run.instanceId }));
      await harness.until(() => result !== undefined);
      expect(await awaited).toBe('there');
      expect(hub.sent).toContainEqual({ kind: 'workflow_finished', instanceId: run.instanceId });
    });

    it('tells of a timer, so that others fire it though nobody polls and its worker has died', async () => {
      const harness = await bench.harness();
      const hub = createMemoryNotifierHub();
      const workflow = defineWorkflow('sleeper', async (ctx) => {
        await ctx.sleep(harness.span('30m', 300));
        return 'woken';
      });
      const first = await healthyApp(harness, { notifier: hub.createNotifier(), workflows: [workflow] });
      const second = await healthyApp(harness, { notifier: hub.createNotifier(), workflows: [workflow] });
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.untilStatus(first, instanceId, 'waiting_for_timer');
      await harness.until(() => hub.sent.some(({ kind }) => kind === 'timer_expired'));
      first.crash();
      await harness.leap('30m');
      await harness.untilStatus(second, instanceId, 'completed');
      expect(await harness.drive(second.romancy.getHandle(instanceId).result())).toBe('woken');
    });

    it('that loses every note costs time and nothing else', async () => {
      const harness = await bench.harness();
      const hub = createMemoryNotifierHub();
      hub.route('drop');
      const workflow = defineWorkflow('deaf', async (ctx) => (await ctx.waitEvent<string>('go')).data);
      const fallback = { notifyFallbackInterval: harness.span('30s', 50), workflowPollInterval: '1h' } as const;
      const asking = await healthyApp(harness, { notifier: hub.createNotifier() });
      const serving = await healthyApp(harness, { notifier: hub.createNotifier(), workflows: [workflow], ...fallback });
      const { instanceId } = await asking.romancy.startWorkflow(workflow);
      await harness.until(async () => (await asking.romancy.get(instanceId))?.status === 'waiting_for_event');
      await harness.drive(asking.romancy.sendEvent({ type: 'go', source: 'tests', data: 'late', instanceId }));
      expect(await harness.drive(serving.romancy.getHandle(instanceId).result())).toBe('late');
      expect(hub.sent.length).toBeGreaterThan(0);
    });

    it('that has lost its connection lets its process poll at the usual pace at once, and catch up when it is back', async () => {
      const harness = await bench.harness();
      const hub = createMemoryNotifierHub();
      const notifier = hub.createNotifier();
      const workflow = defineWorkflow('cut off', () => 'done');
      const pace = { workflowPollInterval: '20m', timerPollInterval: '30m', channelTimeoutInterval: '30m' } as const;
      const serving = await healthyApp(harness, { notifier, workflows: [workflow], ...pace });
      expect(serving.romancy.status().pollIntervalMs).toBe(7_200_000);
      notifier.disconnect();
      expect(serving.romancy.status()).toMatchObject({ notifier: { state: 'connecting' }, pollIntervalMs: 1_200_000 });
      const asking = await healthyApp(harness, { notifier: hub.createNotifier() });
      const { instanceId } = await asking.romancy.startWorkflow(workflow);
      await harness.drive(notifier.reconnect());
      expect(serving.romancy.status()).toMatchObject({ notifier: { state: 'healthy' }, pollIntervalMs: 7_200_000 });
      await harness.untilStatus(serving, instanceId, 'completed');
      await harness.drive(serving.romancy.stop());
      expect(notifier.state).toBe('stopped');
    });

    it('that throws instead of sending takes nothing with it', async () => {
      const harness = await bench.harness();
      const notifier = createMemoryNotifierHub().createNotifier();
      const send = (): never => {
        throw new Error('broken notifier');
      };
      const workflow = defineWorkflow('untold', async (ctx) => {
        await ctx.run('one', () => 1);
        return (await ctx.waitEvent<string>('go')).data;
      });
      const app = await healthyApp(harness, { notifier: Object.assign(notifier, { send }), workflows: [workflow] });
      for (let round = 0; round < 2; round++) {
        const run = await app.romancy.startWorkflow(workflow);
        await harness.untilStatus(app, run.instanceId, 'waiting_for_event');
        await harness.drive(app.romancy.sendEvent({ type: 'go', source: 'tests', data: `${round}`, instanceId: run.instanceId }));
        expect(await harness.drive(run.result())).toBe(`${round}`);
      }
      expect(app.logger.matching('the notifier failed').length).toBeGreaterThan(0);
    });

    it('that cannot start or never stops holds nothing up: the app polls, and ends', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('unaided', async (ctx) => (await ctx.waitEvent<string>('go')).data);
      const start = (): Promise<void> => Promise.reject(new Error('broken start'));
      const stop = (): Promise<void> => new Promise(() => undefined);
      const notifier = Object.assign(createMemoryNotifierHub().createNotifier(), { start, stop });
      const app = await harness.app({ notifier, workflows: [workflow] });
      expect(app.romancy.status()).toMatchObject({ state: 'running', notifier: { state: 'stopped' } });
      expect(app.logger.matching('the notifier failed to start')).toHaveLength(1);
      const run = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, run.instanceId, 'waiting_for_event');
      await harness.drive(app.romancy.sendEvent({ type: 'go', source: 'tests', data: 'polled', instanceId: run.instanceId }));
      expect(await harness.drive(run.result())).toBe('polled');
      await harness.drive(app.romancy.stop());
      expect(app.romancy.status().state).toBe('stopped');
    });

    it('is left alone when it is not wanted', async () => {
      const harness = await bench.harness();
      const notifier = createMemoryNotifierHub().createNotifier();
      const app = await harness.app({ notifier, listenNotify: false });
      expect(notifier.state).toBe('stopped');
      expect(app.romancy.status().notifier).toBeNull();
    });
  });
}

async function healthyApp(harness: EngineHarness, options: Partial<RomancyOptions>): Promise<TestApp> {
  const app = await harness.app({ ...seldom, ...options });
  await harness.until(() => app.romancy.status().notifier?.state === 'healthy');
  return app;
}
