// Cases: a storage that is away for a moment, anywhere, costs time and nothing else.
import { describe, expect, it } from 'vitest';
import { defineWorkflow } from '../index.js';
import { seededEntropy, type FaultPlan, type TransitionCall } from '../testing/index.js';
import { createEverything, everythingResult } from './engine-everything.js';
import type { EngineBench, TestApp } from './engine-harness.js';

/**
 * Where a lost answer would be another fault than the one that is meant: an opened transaction whose answer is lost is closed by its
 * adapter, which knows of it; here nobody would.
 */
const answerNeverLost = (call: TransitionCall): boolean => call.name === 'transactions.begin';

export function faultCases(bench: EngineBench): void {
  describe('a storage that fails', () => {
    it.for(['before', 'after'] as const)('%s any one of the transitions of a run changes nothing of its end', async (when) => {
      const harness = await bench.harness();
      const everything = createEverything({ rows: harness.fixture.rows, nap: 3 });
      const apps = await Promise.all(Array.from({ length: 4 }, () => harness.app({ workflows: [everything.workflow] })));
      const watched: TestApp = apps[0]!;
      const begin = watched.storage.count();
      await everything.start(watched, 'undisturbed');
      expect(await harness.drive(watched.romancy.getHandle('undisturbed').result())).toEqual(everythingResult);
      const transitions = watched.storage.count() - begin;
      expect(transitions).toBeGreaterThan(15);

      const { faultStep } = bench.options;
      const points = Array.from({ length: Math.ceil(transitions / faultStep) }, (_, index) => index * faultStep + 1);
      const failed: string[] = [];
      const lane = async (app: TestApp): Promise<void> => {
        for (let at = points.shift(); at !== undefined; at = points.shift()) {
          const point = app.storage.count() + at;
          const fault: FaultPlan['fault'] = (call) => {
            if (call.total !== point || (when === 'after' && answerNeverLost(call))) return undefined;
            failed.push(call.name);
            return { fail: when };
          };
          app.storage.plan = { fault };
          const instanceId = `${when} ${at}`;
          await everything.start(app, instanceId);
          expect(await app.romancy.getHandle(instanceId).result(), instanceId).toEqual(everythingResult);
          app.storage.plan = {};
          await everything.check(app.storage, instanceId);
        }
      };
      await harness.drive(Promise.all(apps.map(lane)));
      expect(new Set(failed)).toContain('runs.commit');
      expect(failed.length).toBeGreaterThan(10);
    });

    it('now and then, at random, loses and doubles nothing', async () => {
      const harness = await bench.harness();
      const everything = createEverything({ rows: harness.fixture.rows, nap: 3 });
      const entropy = seededEntropy(7);
      const apps = await Promise.all(
        Array.from({ length: 2 }, () => harness.app({ workflows: [everything.workflow], concurrency: 8 })),
      );
      const ids = Array.from({ length: 30 }, (_, index) => `random ${index}`);
      for (const { storage } of apps) {
        storage.plan = {
          fault: (call) => {
            const drawn = entropy.random();
            if (drawn < 0.06) return { fail: 'before' };
            return drawn < 0.12 && !answerNeverLost(call) ? { fail: 'after' } : undefined;
          },
        };
      }
      await harness.drive(Promise.all(ids.map((instanceId, index) => everything.start(apps[index % 2]!, instanceId))));
      const results = ids.map((instanceId, index) => apps[index % 2]!.romancy.getHandle(instanceId));
      // By status, since a single look at a handle is a read that may fail like any other.
      await harness.until(async () => (await completed(apps[0]!)) === ids.length);
      for (const { storage } of apps) storage.plan = {};
      for (const [index, handle] of results.entries()) {
        expect(await harness.drive(handle.result()), ids[index]).toEqual(everythingResult);
        await everything.check(apps[0]!.storage, ids[index]!);
      }
    });

    it('for a while, in the middle of everything, is told once when it goes and once when it comes back', async () => {
      const harness = await bench.harness();
      const begun: number[] = [];
      const workflow = defineWorkflow('patient', async (ctx, index: number) => {
        for (let step = 0; step < 4; step++) {
          await ctx.run('step', () => begun.push(index));
          await ctx.sleep(index === 39 ? '1d' : harness.span(1000, 20));
        }
        return index;
      });
      const app = await harness.app({ workflows: [workflow], leaseDuration: '1h' });
      const handles = await Promise.all(Array.from({ length: 40 }, (_, index) => app.romancy.startWorkflow(workflow, index)));
      await harness.until(() => begun.length >= 60);
      app.storage.setDown(true);
      await harness.until(() => !app.romancy.status().storageAvailable);
      const during = Promise.allSettled([
        app.romancy.startWorkflow(workflow, 40),
        app.romancy.sendEvent({ type: 't', source: 's' }),
        handles[39]!.cancel('in the dark'),
      ]);
      const calls = app.storage.count();
      await harness.until(() => app.storage.count() > calls + 10);
      app.storage.setDown(false);
      expect((await harness.drive(during)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
      const results = await harness.drive(Promise.allSettled(handles.map((handle) => handle.result())));
      expect(results.map((result) => (result.status === 'fulfilled' ? result.value : 'cancelled'))).toEqual([
        ...Array.from({ length: 39 }, (_, index) => index),
        'cancelled',
      ]);
      expect(app.romancy.status().storageAvailable).toBe(true);
      expect(app.logger.matching('storage unavailable')).toHaveLength(1);
      expect(app.logger.matching('storage available again')).toHaveLength(1);
      expect(app.logger.at('error')).toEqual([]);
    });

    it('for longer than the lease lets others take over, and the worker joins again', async () => {
      const harness = await bench.harness();
      let begun = 0;
      const workflow = defineWorkflow('long', async (ctx) => {
        await ctx.run('step', () => void begun++);
        await ctx.sleep(harness.span('10s', 700));
        return await ctx.run('last', () => 'done');
      });
      const first = await harness.app({ workflows: [workflow], leaseDuration: '1s' });
      const second = await harness.app({ workflows: [workflow], leaseDuration: '1s' });
      const { workerId } = first.romancy.status();
      const handle = await first.romancy.startWorkflow(workflow);
      await harness.untilAsleep(first, handle.instanceId);
      first.storage.setDown(true);
      await harness.until(() => second.logger.matching('a worker is dead').length > 0);
      first.storage.setDown(false);
      await harness.until(() => first.logger.matching('joined again').length > 0);
      expect(first.romancy.status().workerId).not.toBe(workerId);
      expect(await harness.drive(handle.result())).toBe('done');
      expect(begun).toBe(1);
    });

    it.for(['refuses', 'is away'] as const)(
      'when a wait looks for mail beyond the first pages, and %s, breaks off that run alone',
      async (how) => {
        const harness = await bench.harness();
        const workflow = defineWorkflow('looking', async (ctx) => {
          await ctx.sleep(harness.span('1h', 200));
          return (await ctx.waitEvent<string>('wanted')).data;
        });
        const app = await harness.app({ workflows: [workflow], maxMessagesPerBatch: 3 });
        const { instanceId } = await app.romancy.startWorkflow(workflow);
        for (const type of ['a', 'b', 'c', 'd', 'wanted']) {
          await harness.drive(app.romancy.sendEvent({ type, source: 'tests', data: type, instanceId }));
        }
        await harness.untilAsleep(app, instanceId);
        app.storage.plan = {
          before: ({ name }) => {
            if (name === 'runs.mail' && how === 'refuses') throw new Error('the database refuses to read that');
          },
          fault: ({ name }) => (name === 'runs.mail' ? { fail: 'before' } : undefined),
        };
        await harness.leap('1h');
        await harness.until(() => app.storage.count('runs.mail') > 0);
        if (how === 'refuses') await harness.untilStatus(app, instanceId, 'stalled');
        await harness.drive(app.romancy.stop({ timeout: 100 }));
        const other = await harness.app({ workflows: [workflow] });
        expect(await harness.drive(other.romancy.getHandle(instanceId).result(), '1m')).toBe('wanted');
      },
    );

    it.for(['another step', 'a wait', 'the end'] as const)(
      'for good with one instance, before %s, hurts that one alone',
      async (next) => {
        const harness = await bench.harness();
        const workflow = defineWorkflow('poisoned', async (ctx, poison: boolean) => {
          await ctx.run('one', () => 1);
          // The other call keeps the run in memory, so that it goes on while the outcome of this one is on its way.
          const two = ctx.run('two', () => (poison ? 'poison' : 'fine'));
          if (next === 'a wait') await Promise.all([two, ctx.sleep(1)]);
          else await two;
          if (next === 'another step') await ctx.run('three', () => 3);
          if (next !== 'the end') await ctx.sleep(harness.span(1000, 10));
          return 'done';
        });
        const app = await harness.app({ workflows: [workflow] });
        let cured = false;
        app.storage.plan = {
          before: ({ name, argument }) => {
            if (name === 'runs.commit' && !cured && JSON.stringify(argument).includes('"\\"poison\\""')) {
              throw new Error('the database refuses this row');
            }
          },
        };
        const [bad, ...good] = await Promise.all(
          Array.from({ length: 10 }, (_, index) => app.romancy.startWorkflow(workflow, index === 0)),
        );
        expect(await harness.drive(Promise.all(good.map((handle) => handle.result())))).toEqual(Array<string>(9).fill('done'));
        await harness.untilStatus(app, bad!.instanceId, 'stalled');
        // The database may show it before this process has the answer.
        await harness.until(() => app.romancy.status().running === 0);
        expect(((await app.romancy.get(bad!.instanceId))?.error as Error).message).toContain('the database refuses this row');
        expect(
          app.logger.matching('a workflow is stalled: it cannot go on as it is').map(({ fields }) => fields['instanceId']),
        ).toEqual([bad!.instanceId]);
        // Nothing is recorded behind what is missing.
        const history = await app.storage.runs.history({ instanceId: bad!.instanceId, afterSeq: 0, limit: 100 });
        expect(history.map(({ callId }) => callId).filter((callId) => callId !== 'sleep:1' || next !== 'a wait')).toEqual([
          'one:1',
        ]);
        cured = true;
        if (harness.clock !== undefined) expect(await harness.drive(bad!.result(), '1m')).toBe('done');
      },
    );
  });
}

async function completed({ romancy }: TestApp): Promise<number> {
  try {
    return (await romancy.list({ status: 'completed', limit: 1000 })).instances.filter(({ parentId }) => parentId === null)
      .length;
  } catch {
    return 0;
  }
}
