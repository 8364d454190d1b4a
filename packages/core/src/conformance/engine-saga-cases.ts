// Cases: when the code fails, what it completed is undone, the last first, each once; its errors are retried, told, and stop nothing.
import { describe, expect, it } from 'vitest';
import { defineActivity, defineWorkflow, WorkflowFailedError, type Activity, type Workflow } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';
import { createDeeds, undone as undoneOf, type Done, type Given } from './engine-saga-stage.js';

const me = { of: 'me' };

export function sagaCases(bench: EngineBench): void {
  describe('what was done before the code failed', () => {
    it('is undone, the last completed first, each with its input and output as they were', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const [a, b, c] = [undoable('a'), undoable('b'), undoable('c')];
      const workflow = defineWorkflow('saga', async (ctx) => {
        const given = { of: 'me' };
        for (const activity of [a, b, c]) {
          const output = (await ctx.run(activity, given)) as { by: string };
          output.by = 'changed by the code';
          given.of = 'changed by the code';
          given.of = 'me';
        }
        given.of = 'changed by the code';
        await ctx.run('inline', () => 'with nothing to undo it');
        throw new RangeError('too far');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      const error = await harness.failure(handle.result());
      expect(error).toBeInstanceOf(WorkflowFailedError);
      expect((error as Error).cause).toMatchObject({ name: 'RangeError', message: 'too far' });
      expect(undone).toEqual(undoneOf('c', 'b', 'a'));
      expect(await app.romancy.get(handle.instanceId)).toMatchObject({
        status: 'failed',
        error: { message: 'too far' },
        compensationFailures: [],
        workerId: null,
        wakeAt: null,
      });
      const kinds = (await app.romancy.history(handle.instanceId)).map(({ kind }) => kind);
      expect(kinds.slice(-4)).toEqual(['compensation_begun', ...Array<string>(3).fill('compensation_completed')]);
    });

    it('is undone in the order in which it was completed, also what ran side by side', async () => {
      const harness = await bench.harness();
      const { undoable, undone, done } = createDeeds();
      const gates = { a: gate(), b: gate(), c: gate() };
      const names = ['a', 'b', 'c'] as const;
      const activities = names.map((name) => undoable(name, { doing: () => gates[name].opened }));
      const workflow = defineWorkflow('parallel', async (ctx) => {
        await Promise.all(activities.map((activity) => ctx.run(activity, me)));
        throw new Error('no');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.until(() => done.length === 3);
      for (const [index, name] of (['b', 'c', 'a'] as const).entries()) {
        gates[name].open();
        await harness.until(async () => (await app.romancy.history(handle.instanceId)).length > index);
      }
      await harness.failure(handle.result());
      expect(undone).toEqual(undoneOf('a', 'c', 'b'));
    });

    it('is undone while everybody sees it compensating', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const [begun, goOn] = [gate(), gate()];
      const workflow = defineWorkflow('seen', async (ctx) => {
        await ctx.run(undoable('a'), me);
        await ctx.run(undoable('b', { undoing: () => (begun.open(), goOn.opened) }), me);
        throw new Error('no');
      });
      const [app, other] = [await harness.app({ workflows: [workflow] }), await harness.app()];
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.drive(begun.opened);
      for (const { romancy } of [app, other]) {
        await harness.until(async () => (await romancy.get(handle.instanceId))?.status === 'compensating');
        expect((await romancy.list({ status: 'compensating' })).instances.map(({ instanceId }) => instanceId)).toEqual([
          handle.instanceId,
        ]);
      }
      expect(undone).toEqual(undoneOf('b'));
      goOn.open();
      await harness.failure(other.romancy.getHandle(handle.instanceId).result());
      expect(undone).toEqual(undoneOf('b', 'a'));
      expect((await other.romancy.get(handle.instanceId))?.status).toBe('failed');
    });

    it('is left alone when the code caught the error, or what failed never completed', async () => {
      const harness = await bench.harness();
      const { undoable, undone, done } = createDeeds();
      const fails = undoable('fails', { doing: () => Promise.reject(new Error('no')), retry: { maxAttempts: 1 } });
      const caught = defineWorkflow('caught', async (ctx) => {
        await ctx.run(undoable('a'), me);
        return await ctx.run(fails, me).catch((error: Error) => error.message);
      });
      const uncaught = defineWorkflow('uncaught', async (ctx) => await ctx.run(fails, me));
      const app = await harness.app({ workflows: [caught, uncaught] });
      expect(await harness.drive((await app.romancy.startWorkflow(caught)).result())).toBe('no');
      await harness.failure((await app.romancy.startWorkflow(uncaught)).result());
      expect(done).toEqual(['a', 'fails', 'fails']);
      expect(undone).toEqual([]);
    });

    it('is undone by a policy of its own, with delays in which the instance is put away, also over a restart', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const attempts: number[] = [];
      const a = undoable('a', { retry: { maxAttempts: 1 } });
      const b = undoable('b', {
        retry: { maxAttempts: 1 },
        policy: { retry: { maxAttempts: 3, firstDelay: harness.span('10h', 40), factor: 1, maxDelay: '10h', jitter: false } },
        undoing: ({ attempt, activityId }) => {
          expect(activityId).toBe('b:1/compensate');
          attempts.push(attempt);
          if (attempt < 3) throw new Error(`attempt ${attempt}`);
        },
      });
      const workflow = defineWorkflow('patient', async (ctx) => {
        await ctx.run(a, me);
        await ctx.run(b, me);
        throw new Error('no');
      });
      const first = await harness.app({ workflows: [workflow] });
      const { instanceId } = await first.romancy.startWorkflow(workflow);
      await harness.until(async () => {
        const seen = await first.romancy.get(instanceId);
        return harness.clock === undefined ? attempts.length > 0 : seen?.status === 'compensating' && seen.wakeAt !== null;
      });
      if (harness.clock !== undefined) expect((await first.romancy.get(instanceId))?.workerId).toBeNull();
      await harness.drive(first.romancy.stop());
      const second = await harness.app({ workflows: [workflow] });
      await harness.leap('10h');
      await harness.until(() => attempts.length >= 2);
      if (harness.clock !== undefined)
        await harness.until(async () => (await second.romancy.get(instanceId))?.wakeAt instanceof Date);
      await harness.leap('10h');
      await harness.failure(second.romancy.getHandle(instanceId).result());
      expect(attempts).toEqual([1, 2, 3]);
      expect(undone).toEqual(undoneOf('b', 'b', 'b', 'a'));
    });

    it('is undone again when an attempt took too long, or its own timeout says so', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const signals: string[] = [];
      const a = undoable('a', {
        timeout: '1d',
        policy: { timeout: 20, retry: { firstDelay: 1 } },
        undoing: ({ attempt, signal }) =>
          attempt > 1 ||
          new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              signals.push((signal.reason as { code: string }).code);
              reject(signal.reason as Error);
            }),
          ),
      });
      const workflow = defineWorkflow('slow', async (ctx) => {
        await ctx.run(a, me);
        throw new Error('no');
      });
      const app = await harness.app({ workflows: [workflow] });
      await harness.failure((await app.romancy.startWorkflow(workflow)).result());
      expect(signals).toEqual(['ACTIVITY_TIMEOUT']);
      expect(undone).toEqual(undoneOf('a', 'a'));
    });

    it('is undone as far as possible: one compensation that fails for good stops no other, and is told', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const a = undoable('a', { undoing: () => Promise.reject(new TypeError('of a')), retry: { maxAttempts: 1 } });
      const c = undoable('c', {
        undoing: () => Promise.reject(new Error('of c')),
        policy: { retry: { maxAttempts: 2, firstDelay: 1 } },
      });
      const workflow = defineWorkflow('stubborn', async (ctx) => {
        for (const activity of [a, undoable('b'), c, undoable('d')]) await ctx.run(activity, me);
        throw new Error('of the code');
      });
      const app = await harness.app({ workflows: [workflow] });
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      const error = await harness.failure(app.romancy.getHandle(instanceId).result());
      expect((error as Error).cause).toMatchObject({ message: 'of the code' });
      expect(undone).toEqual(undoneOf('d', 'c', 'c', 'b', 'a'));
      const seen = await app.romancy.get(instanceId);
      expect(seen).toMatchObject({ status: 'failed', error: { message: 'of the code' } });
      expect(seen?.compensationFailures).toMatchObject([
        { activityId: 'c:1', error: { name: 'ActivityFailedError', attempts: 2, cause: { message: 'of c' } } },
        { activityId: 'a:1', error: { name: 'TypeError', message: 'of a' } },
      ]);
    });

    it('is undone with what its compensations write and send, once, together with their outcome', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const { undoable, undone } = createDeeds();
      const a = undoable('a', {
        retry: { firstDelay: 1 },
        undoing: async (ctx) => {
          await rows.write(ctx, `${ctx.instanceId}/${ctx.attempt}`, 'undone');
          await ctx.publish('undone', ctx.attempt);
          if (ctx.attempt === 1) throw new Error('on second thought');
        },
      });
      const b = undoable('b', { undoing: (ctx) => ctx.publish('undone', 'b') });
      const workflow = defineWorkflow('writing', async (ctx) => {
        await ctx.run(a, me);
        await ctx.run(b, me);
        throw new Error('no');
      });
      const listener = defineWorkflow('listener', async (ctx) => {
        await ctx.subscribe('undone');
        const heard = [(await ctx.receive('undone')).data, (await ctx.receive('undone')).data];
        return await ctx.receive('undone', { timeout: harness.span('1h', 100) }).then(
          ({ data }) => [...heard, data],
          () => heard,
        );
      });
      const app = await harness.app({ workflows: [workflow, listener] });
      const heard = await app.romancy.startWorkflow(listener);
      await harness.untilStatus(app, heard.instanceId, 'waiting_for_message');
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      await harness.failure(app.romancy.getHandle(instanceId).result());
      expect(undone).toEqual(undoneOf('b', 'a', 'a'));
      expect([await rows.read(`${instanceId}/1`), await rows.read(`${instanceId}/2`)]).toEqual([undefined, 'undone']);
      await harness.untilStatus(app, heard.instanceId, 'waiting_for_message');
      expect(await harness.drive(heard.result(), '1h')).toEqual(['b', 2]);
    });

    it('is undone of the last part alone, when the instance has recurred', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const a = undoable('a');
      const workflow = defineWorkflow('parts', async (ctx, part: number): Promise<void> => {
        await ctx.run(a, { of: `part ${part}` });
        if (part < 2) await ctx.recur(part + 1);
        throw new Error('no');
      });
      const app = await harness.app({ workflows: [workflow] });
      await harness.failure((await app.romancy.startWorkflow(workflow, 0)).result());
      expect(undone).toEqual(['a of part 2 by a:1 for part 2']);
    });

    it('is not undone by code that cannot: the instance stalls, says so, and goes on with code that can', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const hanging = gate();
      const saga = (b: Activity<Given, Done>, c = undoable('c')): Workflow<void, void> =>
        defineWorkflow('deployed', async (ctx) => {
          for (const activity of [undoable('a'), b, c]) await ctx.run(activity, me);
          throw new Error('no');
        });
      const hangs = saga(undoable('b'), undoable('c', { undoing: () => (hanging.open(), new Promise(() => undefined)) }));
      const first = await harness.app({ workflows: [hangs] });
      const { instanceId } = await first.romancy.startWorkflow(hangs);
      await harness.drive(hanging.opened);
      first.crash();
      // Its activity has lost what undoes it.
      const second = await harness.app({ workflows: [saga(defineActivity<Given, Done>('b', () => ({ by: 'b' })))] });
      await harness.bury(first, second);
      await harness.untilStatus(second, instanceId, 'stalled');
      const stalled = await second.romancy.get(instanceId);
      expect(stalled?.error).toMatchObject({ code: 'COMPENSATION_NOT_FOUND', activityId: 'b:1', instanceId });
      expect(undone).toEqual(undoneOf('c', 'c'));
      await harness.drive(second.romancy.stop());
      const third = await harness.app({ workflows: [saga(undoable('b'))] });
      await harness.failure(third.romancy.getHandle(instanceId).result());
      expect(undone).toEqual(undoneOf('c', 'c', 'b', 'a'));
      expect(await third.romancy.get(instanceId)).toMatchObject({ status: 'failed', error: { message: 'no' } });
    });
  });
}
