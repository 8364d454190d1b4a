// Cases: what a worker leaves when it dies, is paused for too long, or stops, goes on elsewhere.
import { describe, expect, it } from 'vitest';
import { defineWorkflow } from '../index.js';
import { createEverything, everythingResult } from './engine-everything.js';
import { gate } from './engine-gate.js';
import { shortLease, type EngineBench, type TestApp } from './engine-harness.js';

export function takeoverCases(bench: EngineBench): void {
  describe('a worker that', () => {
    it('dies after step 2 of 3 is followed by another, which runs step 3 alone', async () => {
      const harness = await bench.harness();
      const begun: string[] = [];
      const third = gate();
      const workflow = (name: string, atThird: () => Promise<void>) =>
        defineWorkflow('steps', async (ctx) => {
          const values = [ctx.uuid()];
          for (const step of ['one', 'two', 'three']) {
            values.push(
              await ctx.run(step, async () => {
                begun.push(`${step} on ${name}`);
                if (step === 'three') await atThird();
                return `${step} by ${name}`;
              }),
            );
          }
          return values.slice(1);
        });
      const hangs = workflow('first', () => (third.open(), new Promise<void>(() => undefined)));
      const works = workflow('second', () => Promise.resolve());
      const first = await harness.app({ workflows: [hangs], ...shortLease });
      const { instanceId } = await first.romancy.startWorkflow(hangs);
      await harness.drive(third.opened);
      first.crash();
      const second = await harness.app({ workflows: [works], ...shortLease });
      expect((await second.romancy.get(instanceId))?.status).toBe('running');
      const result = await harness.drive(second.romancy.getHandle(instanceId).result());
      expect(result).toEqual(['one by first', 'two by first', 'three by second']);
      expect(begun).toEqual(['one on first', 'two on first', 'three on first', 'three on second']);
      expect(second.logger.matching('a worker is dead').map(({ fields }) => fields['released'])).toEqual([1]);
    });

    it('dies, and starts again under the name that it was given, is another one, and what it left goes on', async () => {
      const harness = await bench.harness();
      const begun = gate();
      const workflow = (execute: () => unknown) => defineWorkflow('named', (ctx) => ctx.run('step', execute));
      const hangs = workflow(() => (begun.open(), new Promise(() => undefined)));
      const works = workflow(() => 'done');
      const named = { workerId: 'web-1', ...shortLease };
      const first = await harness.app({ workflows: [hangs], ...named });
      const { instanceId } = await first.romancy.startWorkflow(hangs);
      await harness.drive(begun.opened);
      first.crash();
      const second = await harness.app({ workflows: [works], ...named });
      expect(await harness.drive(second.romancy.getHandle(instanceId).result({ timeout: '30s' }))).toBe('done');
      const ids = [first, second].map(({ romancy }) => romancy.status().workerId);
      for (const id of ids) expect(id).toMatch(/^web-1-./);
      expect(new Set(ids).size).toBe(2);
      // A lease that was lost is no reason to lose the name.
      await harness.drive(harness.bury(second, await harness.app()));
      await harness.until(() => second.logger.matching('joined again').length > 0);
      expect(second.romancy.status().workerId).toMatch(/^web-1-./);
      expect(second.romancy.status().workerId).not.toBe(ids[1]);
    });

    it('dies at any of its commits, before or after it took effect, leaves a history that leads to the same end', async () => {
      const harness = await bench.harness();
      const everything = createEverything({ rows: harness.fixture.rows, nap: 5 });
      const { workflow } = everything;
      const undisturbed = await harness.app({ workflows: [workflow] });
      await harness.drive(everything.start(undisturbed, 'undisturbed'));
      expect(await harness.drive(undisturbed.romancy.getHandle('undisturbed').result())).toEqual(everythingResult);
      await everything.check(undisturbed.storage, 'undisturbed');
      const isCommit = (name: string): boolean => name === 'runs.commit' || name === 'transactions.commit';
      const commits = undisturbed.storage.count('runs.commit') + undisturbed.storage.count('transactions.commit');
      await harness.drive(undisturbed.romancy.stop());
      expect(commits).toBeGreaterThan(10);

      // One app for each point at which it dies, and one that takes over from all of them.
      const deaths = Array.from({ length: commits }, (_, index) => index + 1).flatMap((at) =>
        (['before', 'after'] as const).filter(() => at > 1).map((when) => ({ at, when, instanceId: `${when} ${at}` })),
      );
      const committed = new Map<string, Map<string, number>>();
      const witness = await harness.app();
      const lives = async ({ at, when, instanceId }: (typeof deaths)[number]): Promise<void> => {
        const app: TestApp = await harness.app({ workflows: [workflow], leaseDuration: '1h' });
        const died = gate();
        let count = 0;
        const die =
          (point: string) =>
          async (call: { name: string }): Promise<void> => {
            if (isCommit(call.name) && point === 'before') count++;
            if (!isCommit(call.name) || count !== at || point !== when) return;
            app.crash();
            died.open();
            if (call.name === 'transactions.commit' && point === 'before')
              throw new Error('the process is gone, and its transaction');
            await new Promise(() => undefined);
          };
        app.storage.plan = { before: die('before'), after: die('after') };
        await everything.start(app, instanceId, witness);
        await Promise.race([died.opened, app.romancy.getHandle(instanceId).result()]);
        // One whose instance others took and ended before it came to its point dies now.
        app.crash();
        await harness.bury(app, witness);
        const history = await witness.storage.runs.history({ instanceId, afterSeq: 0, limit: 1000 });
        const done = history.filter(({ kind }) => kind === 'activity_completed' || kind === 'activity_failed');
        committed.set(instanceId, new Map(done.map(({ callId }) => [callId, everything.begun.get(`${instanceId} ${callId}`)!])));
      };
      // Not all at once: a database takes so many connections.
      for (let from = 0; from < deaths.length; from += 12) {
        await harness.drive(Promise.all(deaths.slice(from, from + 12).map(lives)));
      }
      const successor = await harness.app({ workflows: [workflow] });
      for (const { instanceId } of deaths) {
        const result = await harness.drive(successor.romancy.getHandle(instanceId).result());
        expect(result, instanceId).toEqual(everythingResult);
        await everything.check(successor.storage, instanceId, committed.get(instanceId));
      }
    });

    it('is paused for longer than its lease can write nothing, says so, and joins again as a new one', async () => {
      const harness = await bench.harness();
      const begun: string[] = [];
      const [paused, goOn, stepOne] = [gate(), gate(), gate()];
      const workflow = (name: string) =>
        defineWorkflow('stopped', async (ctx) => {
          const step = await ctx.run('step', async () => {
            begun.push(name);
            if (name === 'first') {
              paused.open();
              await stepOne.opened;
            }
            return name;
          });
          await ctx.run('after', () => begun.push(`after on ${name}`));
          return step;
        });
      const [stale, fresh] = [workflow('first'), workflow('second')];
      const first = await harness.app({ workflows: [stale], ...shortLease });
      const firstId = first.romancy.status().workerId;
      const { instanceId } = await first.romancy.startWorkflow(stale);
      await harness.drive(paused.opened);
      // As SIGSTOP does it: nothing goes out, and nothing comes in.
      first.storage.plan = { before: () => goOn.opened, after: () => goOn.opened };
      const second = await harness.app({ workflows: [fresh], ...shortLease });
      expect(await harness.drive(second.romancy.getHandle(instanceId).result())).toBe('second');
      const history = await second.storage.runs.history({ instanceId, afterSeq: 0, limit: 10 });
      // It wakes, and its activity ends: the result is nobody's.
      first.storage.plan = {};
      stepOne.open();
      goOn.open();
      await harness.until(() => first.logger.matching('joined again').length > 0);
      expect(first.logger.matching('was declared dead')).toHaveLength(1);
      expect(first.romancy.status().workerId).not.toBe(firstId);
      expect(first.romancy.status().running).toBe(0);
      expect(await second.storage.runs.history({ instanceId, afterSeq: 0, limit: 10 })).toEqual(history);
      expect(begun).toEqual(['first', 'second', 'after on second']);
      await harness.drive(second.romancy.stop());
      const next = await first.romancy.startWorkflow(stale, undefined, { instanceId: 'after' });
      expect(await harness.drive(next.result())).toBe('first');
    });

    it('joins again, and is asked to claim meanwhile, claims afterwards as before', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('later', (ctx) => ctx.run('step', () => 'done'));
      const app = await harness.app({ workflows: [workflow], workflowPollInterval: 10, ...shortLease });
      const other = await harness.app();
      const [joining, join] = [gate(), gate()];
      app.storage.plan = {
        before: async ({ name }) => {
          if (name !== 'leases.register') return;
          joining.open();
          await join.opened;
        },
      };
      // As a reaper does it who found the lease run out.
      await harness.drive(harness.bury(app, other));
      await harness.drive(joining.opened);
      // Polls come and find nobody to claim for.
      for (let moment = 0; moment < 10; moment++) await harness.tick();
      join.open();
      await harness.until(() => app.logger.matching('joined again').length > 0);
      const handle = await harness.drive(other.romancy.startWorkflow(workflow));
      expect(await harness.drive(handle.result())).toBe('done');
    });

    it('stops hands its runs over at once', async () => {
      const harness = await bench.harness();
      const begun: string[] = [];
      const finish = gate();
      const workflow = (name: string) =>
        defineWorkflow('handed', async (ctx, index: number) => {
          const steps: string[] = [];
          for (let step = 0; step < 3; step++) {
            steps.push(
              await ctx.run(`step${step}`, async () => {
                begun.push(`${index}/${step}`);
                if (name === 'first' && step === 1) await finish.opened;
                return `${step} by ${name}`;
              }),
            );
          }
          return steps;
        });
      const [before, after] = [workflow('first'), workflow('second')];
      const first = await harness.app({ workflows: [before], leaseDuration: '1h' });
      const handles = await Promise.all(Array.from({ length: 20 }, (_, index) => first.romancy.startWorkflow(before, index)));
      await harness.until(() => begun.length === 40);
      const stopped = harness.drive(first.romancy.stop());
      const second = await harness.app({ workflows: [after], leaseDuration: '1h' });
      finish.open();
      await stopped;
      for (const { instanceId } of handles) {
        const result = await harness.drive(second.romancy.getHandle(instanceId).result());
        expect(result).toEqual(['0 by first', '1 by first', '2 by second']);
      }
      expect(begun).toHaveLength(60);
      expect(new Set(begun).size).toBe(60);
    });
  });

  describe('two apps on one database', () => {
    it('share the work, and each instance has one owner at a time', async () => {
      const harness = await bench.harness();
      const inside = new Map<string, string>();
      const twice: string[] = [];
      const byApp = new Map<string, number>();
      const workflow = (name: string) =>
        defineWorkflow('shared', async (ctx) => {
          for (let step = 0; step < 4; step++) {
            await ctx.run('step', async ({ instanceId }) => {
              if (inside.has(instanceId)) twice.push(instanceId);
              inside.set(instanceId, name);
              byApp.set(name, (byApp.get(name) ?? 0) + 1);
              for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
              inside.delete(instanceId);
            });
            await ctx.sleep(harness.span(1500, 15));
          }
          return name;
        });
      const workflows = ['left', 'right'].map((name) => workflow(name));
      const apps = await Promise.all(workflows.map((one) => harness.app({ workflows: [one], concurrency: 10 })));
      const handles = await harness.drive(
        Promise.all(Array.from({ length: 60 }, (_, index) => apps[index % 2]!.romancy.startWorkflow(workflows[index % 2]!))),
      );
      await harness.drive(Promise.all(handles.map((handle) => handle.result())));
      expect(twice).toEqual([]);
      expect([...byApp.values()].reduce((sum, count) => sum + count, 0)).toBe(240);
      expect(byApp.size).toBe(2);
    });
  });
}
