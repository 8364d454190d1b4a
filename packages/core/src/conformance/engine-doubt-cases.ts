// Cases: an answer of the storage that was lost leaves nobody in doubt for long, and nothing twice.
import { describe, expect, it } from 'vitest';
import { defineWorkflow } from '../index.js';
import type { ProgressBatch } from '../ports/index.js';
import type { TransitionCall } from '../testing/index.js';
import { gate } from './engine-gate.js';
import { shortLease, type EngineBench } from './engine-harness.js';

export function doubtCases(bench: EngineBench): void {
  describe('a lost answer', () => {
    it('to a park, while the same worker is given the instance again, leaves one run that owns it', async (context) => {
      const harness = await bench.harness();
      harness.require(context, 'lostSettlement', harness.fixture.skip?.lostSettlement === undefined);
      const seen: string[] = [];
      const workflow = defineWorkflow('doubted', async (ctx) => {
        const events = [(await ctx.waitEvent<string>('go')).data];
        // Who runs it owns it.
        await ctx.run('between', async () => void seen.push((await app.romancy.get('doubted'))!.workerId!));
        events.push((await ctx.waitEvent<string>('go')).data);
        return events;
      });
      const app = await harness.app({ workflows: [workflow] });
      const parks = (call: TransitionCall): boolean =>
        call.name === 'runs.commit' &&
        (call.argument as ProgressBatch).settlements.some(({ type, instanceId }) => type === 'park' && instanceId === 'doubted');
      const sent: Promise<unknown>[] = [];
      let doubts = 0;
      app.storage.plan = {
        fault: (call) => (parks(call) && doubts++ === 0 ? { fail: 'after' } : undefined),
        after: async (call) => {
          if (!parks(call) || doubts !== 1) return;
          // Mail comes, and the worker is given what it does not know yet to have put away.
          const claims = app.storage.count('runs.claim');
          sent.push(app.romancy.sendEvent({ type: 'go', source: 'tests', data: 'first' }));
          for (let turn = 0; turn < 2000 && app.storage.count('runs.claim') === claims; turn++)
            await new Promise((resolve) => setImmediate(resolve));
        },
      };
      const handle = await app.romancy.startWorkflow(workflow, undefined, { instanceId: 'doubted' });
      await harness.until(() => seen.length > 0);
      await harness.untilStatus(app, 'doubted', 'waiting_for_event');
      expect((await app.romancy.get('doubted'))?.workerId).toBeNull();
      sent.push(app.romancy.sendEvent({ type: 'go', source: 'tests', data: 'second' }));
      expect(await harness.drive(handle.result())).toEqual(['first', 'second']);
      await harness.drive(Promise.all(sent));
      expect(await handle.status()).toBe('completed');
      expect(seen).toEqual([app.romancy.status().workerId]);
      expect(app.romancy.status().running).toBe(0);
    });

    it('to a start, and the lease lost after it, leaves the instance to who has it now', async () => {
      const harness = await bench.harness();
      const inside: string[] = [];
      const [entered, leave] = [gate(), gate()];
      const workflow = (name: string) =>
        defineWorkflow('started', (ctx) =>
          ctx.run('step', async () => {
            inside.push(name);
            entered.open();
            await leave.opened;
            return name;
          }),
        );
      const [mine, theirs] = [workflow('first'), workflow('second')];
      const first = await harness.app({ workflows: [mine], ...shortLease });
      const second = await harness.app({ workflows: [theirs], ...shortLease });
      first.storage.plan = {
        fault: ({ name, argument }) => {
          if (name !== 'runs.commit' || (argument as ProgressBatch).starts.length === 0) return undefined;
          first.storage.setDown(true);
          return { fail: 'after' };
        },
      };
      const started = first.romancy.startWorkflow(mine, undefined, { instanceId: 'i' });
      await harness.drive(entered.opened);
      first.storage.plan = {};
      first.storage.setDown(false);
      await harness.until(() => first.logger.matching('joined again').length > 0);
      const handle = await harness.drive(started);
      for (let moment = 0; moment < 30; moment++) await harness.tick();
      expect(first.romancy.status().running).toBe(0);
      expect(inside).toEqual(['second']);
      leave.open();
      expect(await harness.drive(handle.result())).toBe('second');
      expect(second.romancy.status().running).toBe(0);
    });

    it('to a claim leaves nothing that is owned and not run', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('claimed', async (ctx, index: number) => {
        await ctx.sleep(harness.span('1h', 100));
        return await ctx.run('step', () => index);
      });
      const app = await harness.app({ workflows: [workflow], concurrency: 7 });
      const handles = await harness.drive(
        Promise.all(Array.from({ length: 30 }, (_, index) => app.romancy.startWorkflow(workflow, index))),
      );
      for (const { instanceId } of handles) await harness.untilAsleep(app, instanceId);
      let lost = 0;
      app.storage.plan = {
        fault: ({ name, count }) => (name === 'runs.claim' && count % 2 === 0 ? (lost++, { fail: 'after' }) : undefined),
      };
      await harness.leap('1h');
      await harness.until(() => lost > 5);
      app.storage.plan = {};
      const results = await harness.drive(Promise.all(handles.map((handle) => handle.result())), '10m');
      expect(results).toEqual(handles.map((_, index) => index));
      expect(app.romancy.status().running).toBe(0);
      expect(app.logger.at('error')).toEqual([]);
    });

    it('to a claim, while others are started and put away, leaves each with one run', async () => {
      const harness = await bench.harness();
      const steps: string[] = [];
      const workflow = defineWorkflow('meanwhile', async (ctx, pause: number) => {
        if (pause > 0) await ctx.sleep(pause);
        await ctx.run('step', ({ instanceId }) => void steps.push(instanceId));
      });
      const app = await harness.app({ workflows: [workflow] });
      const started: string[] = [];
      const start = async (): Promise<void> => {
        const instanceId = `started ${started.length}`;
        started.push(instanceId);
        await app.romancy.startWorkflow(workflow, started.length % 3, { instanceId });
      };
      const underWay: Promise<void>[] = [];
      app.storage.plan = {
        // Odd ones are lost, even ones are their repetitions; each is on its way for a while, in which others are started.
        fault: ({ name, count }) => (name === 'runs.claim' && count % 2 === 1 ? { fail: 'after' } : undefined),
        before: async ({ name }) => {
          if (name !== 'runs.claim' || started.length >= 40) return;
          underWay.push(start(), start());
          for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
        },
      };
      await harness.until(() => started.length >= 40);
      app.storage.plan = {};
      await harness.drive(Promise.all(underWay));
      await harness.drive(Promise.all(started.map((instanceId) => app.romancy.getHandle(instanceId).result())));
      expect([...steps].sort()).toEqual([...started].sort());
      expect(app.romancy.status().running).toBe(0);
      expect(app.logger.at('error')).toEqual([]);
    });

    it('to the commit of an activity’s transaction leaves its row and its result, or neither', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const begun: number[] = [];
      const workflow = defineWorkflow('paying', async (ctx, index: number) => {
        await ctx.run(
          'pay',
          async (activity) => {
            begun.push(index);
            await rows.write(activity, `row ${index}`, `${index}`);
          },
          { retry: { firstDelay: 1 } },
        );
        return index;
      });
      const app = await harness.app({ workflows: [workflow] });
      app.storage.plan = {
        fault: ({ name, count }) => (name === 'transactions.commit' ? { fail: count % 2 === 0 ? 'before' : 'after' } : undefined),
      };
      const handles = await Promise.all([0, 1, 2, 3].map((index) => app.romancy.startWorkflow(workflow, index)));
      await harness.until(() => app.storage.count('transactions.commit') >= 4);
      app.storage.plan = {};
      expect(await harness.drive(Promise.all(handles.map((handle) => handle.result())))).toEqual([0, 1, 2, 3]);
      for (const index of [0, 1, 2, 3]) expect(await rows.read(`row ${index}`)).toBe(`${index}`);
      // Those whose commit took effect were not run again; the others were.
      expect(begun.filter((index) => index === 0 || index === 2).length).toBeGreaterThanOrEqual(2);
      expect(begun).toHaveLength(6);
    });
  });
}
