// Cases: an instance begins anew with another input, and is the same for everybody outside; what was can be looked at for ever.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, ValidationError, type StandardSchema, type Workflow, type WorkflowContext } from '../index.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';
import { createDeeds, dieAt } from './engine-saga-stage.js';

/** More commits than the instance takes. */
const manyCommits = 30;

export function recurCases(bench: EngineBench): void {
  describe('an instance that recurs', () => {
    it('leaves parts that can be asked for, however long its id is', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('long', async (ctx, part: number): Promise<number> =>
        part < 2 ? await ctx.recur(part + 1) : part,
      );
      const app = await harness.app({ workflows: [workflow] });
      // Of both the beginning is the same.
      const ids = ['a', 'b'].map((end) => `${'\u{1f600}'.repeat(127)}${end}`);
      for (const instanceId of ids) {
        expect(await harness.drive((await app.romancy.startWorkflow(workflow, 0, { instanceId })).result())).toBe(2);
        const last = await app.romancy.get(instanceId);
        const middle = await app.romancy.get(last!.continuedFrom!);
        const first = await app.romancy.get(middle!.continuedFrom!);
        expect([first, middle, last].map((one) => [one?.input, one?.status])).toEqual([
          [0, 'recurred'],
          [1, 'recurred'],
          [2, 'completed'],
        ]);
      }
    });

    it('leaves parts that can be read from either end, and one result for all of them', async () => {
      const harness = await bench.harness();
      const ends: string[] = [];
      const workflow = defineWorkflow('parts', async (ctx, input: { readonly part: number }): Promise<string> => {
        await ctx.run(`step-${input.part}`, () => input.part);
        await ctx.sleep(harness.span('1h', 20));
        if (input.part < 2) return await ctx.recur({ part: input.part + 1 });
        return `the end of part ${input.part}`;
      });
      const hooks = {
        onWorkflowStart: () => void ends.push('start'),
        onWorkflowEnd: ({ status }: { readonly status: string }) => void ends.push(status),
      };
      const app = await harness.app({ workflows: [workflow], hooks });
      const other = await harness.app();
      const handle = await app.romancy.startWorkflow(workflow, { part: 0 }, { instanceId: 'one' });
      const early = [handle.result(), other.romancy.getHandle('one').result()];
      await harness.untilStatus(app, 'one', 'waiting_for_timer');
      await harness.leap('1h');
      await harness.until(async () => (await app.romancy.get('one~1')) !== undefined);
      early.push(other.romancy.getHandle('one~1').result(), app.romancy.getHandle('one~1').result({ timeout: '9h' }));
      expect(await harness.drive(Promise.all(early), '1h')).toEqual(Array<string>(4).fill('the end of part 2'));

      for (const { romancy } of [app, other]) {
        const ids = ['one~1', 'one~2', 'one'];
        const parts = await Promise.all(ids.map((id) => romancy.get(id)));
        expect(parts.map((part) => [part?.input, part?.status, part?.continuedFrom, part?.continuedAs])).toEqual([
          [{ part: 0 }, 'recurred', null, 'one'],
          [{ part: 1 }, 'recurred', 'one~1', 'one'],
          [{ part: 2 }, 'completed', 'one~2', null],
        ]);
        for (const part of parts) expect(part).toMatchObject({ workflowName: 'parts', workerId: null, wakeAt: null });
        expect((await romancy.list({ instanceId: 'one' })).instances.map(({ instanceId }) => instanceId).sort()).toEqual(
          [...ids].sort(),
        );
        expect((await romancy.list({ status: 'recurred' })).instances).toHaveLength(2);
        const kinds = ['activity_completed', 'timer_set', 'timer_fired'];
        for (const [index, id] of ids.entries()) {
          const history = await romancy.history(id);
          expect(history.map(({ kind }) => kind)).toEqual(index === 0 ? kinds : ['carried_over', ...kinds]);
          expect(history.at(index === 0 ? 0 : 1)).toMatchObject({ callId: `step-${index}:1` });
          expect(await harness.drive(romancy.getHandle(id).result())).toBe('the end of part 2');
        }
      }
      expect(await harness.failure(app.romancy.cancel('one~1'))).toMatchObject({ code: 'INSTANCE_FINISHED', status: 'recurred' });
      expect(ends).toEqual(['start', 'completed']);
    });

    it('hands its new input through the schema; one that is refused rejects, and the run goes on', async () => {
      const harness = await bench.harness();
      const seen: unknown[] = [];
      const schema: StandardSchema<string, number> = {
        '~standard': {
          version: 1,
          vendor: 'tests',
          validate: async (value) =>
            typeof value === 'string' ? { value: Number(value) } : { issues: [{ message: 'no text', path: ['part'] }] },
        },
      };
      const workflow = defineWorkflow(
        'checked',
        // Said so, its own `recur` takes anything.
        async (ctx: WorkflowContext, part: number): Promise<string> => {
          seen.push(part);
          if (part === 3) return 'end';
          const refusal = await ctx.recur(part + 1).catch((error: unknown) => error);
          expect(refusal).toBeInstanceOf(ValidationError);
          await ctx.run('after', () => seen.push('after'));
          await expect(ctx.recur(() => 'a function')).rejects.toThrow();
          return await ctx.recur(String(part + 1));
        },
        { input: schema },
      );
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow, '1');
      expect(await harness.drive(handle.result())).toBe('end');
      expect(seen).toEqual([1, 'after', 2, 'after', 3]);
      expect((await app.romancy.get(handle.instanceId))?.input).toBe(3);
    });

    it('runs nothing behind the call, gives up what is under way, and leaves none of its waits to the next part', async () => {
      const harness = await bench.harness();
      const [begun, late] = [gate(), gate()];
      const noted: string[] = [];
      const workflow = defineWorkflow('open', async (ctx, part: number): Promise<string[]> => {
        if (part === 1) {
          await ctx.sleep(harness.span('2h', 60));
          return noted;
        }
        void ctx.sleep('1h').then(() => noted.push('an old sleep'));
        void ctx.waitEvent('later', { timeout: '30m' }).then(
          () => noted.push('an old event'),
          () => noted.push('an old timeout'),
        );
        void ctx.run('long', async ({ signal }) => {
          begun.open();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          noted.push('aborted');
          await late.opened;
        });
        await ctx.run('wait', () => begun.opened);
        void ctx.recur(1).finally(() => noted.push('behind it'));
        await ctx.run('more', () => noted.push('more'));
        return ['not this'];
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow, 0);
      const result = harness.drive(handle.result(), '30m');
      expect(await result).toEqual(['aborted']);
      late.open();
      await harness.tick();
      expect(noted).toEqual(['aborted']);
      const kinds = (await app.romancy.history(handle.instanceId)).map(({ kind }) => kind);
      expect(kinds).toEqual(['carried_over', 'timer_set', 'timer_fired']);
      expect(app.romancy.status().running).toBe(0);
    });

    it.for(['before', 'after'] as const)('has one successor after a death %s any commit', async (moment) => {
      const harness = await bench.harness();
      const workflow = stepsOf(2);
      const heir = await harness.app({ workflows: [workflow] });
      for (let count = 1; ; count++) {
        expect(count).toBeLessThan(manyCommits);
        const app = await harness.app({ workflows: [workflow] });
        const isDead = dieAt(app, { count, moment });
        const instanceId = `${moment} ${count}`;
        void app.romancy.startWorkflow(workflow, 0, { instanceId }).catch(() => undefined);
        await harness.until(async () => isDead() || (await heir.romancy.get(instanceId))?.status === 'completed');
        if (isDead() && (await heir.romancy.get(instanceId)) === undefined) continue;
        if (isDead()) await harness.bury(app, heir);
        expect(await harness.drive(heir.romancy.getHandle(instanceId).result())).toBe('end of 2');
        const ids = (await heir.romancy.list({ instanceId })).instances.map((one) => one.instanceId);
        expect([...ids].sort()).toEqual([instanceId, `${instanceId}~1`, `${instanceId}~2`]);
        for (const [part, id] of [`${instanceId}~1`, `${instanceId}~2`, instanceId].entries()) {
          const { input, status } = (await heir.romancy.get(id))!;
          expect([input, status]).toEqual([part, part === 2 ? 'completed' : 'recurred']);
          const calls = (await heir.romancy.history(id)).map(({ callId }) => callId);
          expect(calls).toEqual([...(part === 0 ? [] : ['recur']), 'step:1']);
        }
        if (!isDead()) break;
      }
    });

    it('ends as cancelled when that was asked for, whichever came first, and only its last part is undone', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const a = undoable('a');
      const workflow = defineWorkflow('endless', async (ctx, part: number): Promise<void> => {
        await ctx.run(a, { of: `${ctx.instanceId} part ${part}` });
        await ctx.recur(part + 1);
      });
      const apps = [await harness.app({ workflows: [workflow] }), await harness.app()];
      for (let round = 0; round < 30; round++) {
        const instanceId = `round ${round}.`;
        const handle = await harness.drive(apps[0]!.romancy.startWorkflow(workflow, 0, { instanceId }));
        for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
        await harness.drive(apps[round % 2]!.romancy.cancel(instanceId, 'enough'));
        expect(await harness.failure(handle.result())).toMatchObject({ code: 'WORKFLOW_CANCELLED', reason: 'enough' });
        const { input, status } =
          (await handle.status()) === 'cancelled' ? (await apps[0]!.romancy.get(instanceId))! : { input: -1, status: '' };
        expect(status).toBe('cancelled');
        const completed = (await apps[0]!.romancy.history(instanceId)).some(({ kind }) => kind === 'activity_compensable');
        const own = undone.filter((line) => line.startsWith(`a of ${instanceId} `));
        expect(own).toEqual(
          completed ? [`a of ${instanceId} part ${input as number} by a:1 for ${instanceId} part ${input as number}`] : [],
        );
        const parts = (await apps[0]!.romancy.list({ instanceId, limit: 1000 })).instances;
        expect(parts).toHaveLength((input as number) + 1);
      }
    });

    it('goes on elsewhere when its process stops, part by part', async () => {
      const harness = await bench.harness();
      const last = 40;
      const workflow = stepsOf(last);
      const first = await harness.app({ workflows: [workflow] });
      const handle = await first.romancy.startWorkflow(workflow, 0, { instanceId: 'moving' });
      await harness.until(
        async () => (await handle.status()) !== 'pending' && ((await first.romancy.get('moving'))?.input as number) >= 3,
      );
      const second = await harness.app({ workflows: [workflow] });
      await harness.drive(first.romancy.stop());
      expect(await harness.drive(second.romancy.getHandle('moving').result())).toBe(`end of ${last}`);
      const parts = (await second.romancy.list({ instanceId: 'moving', limit: 1000 })).instances;
      expect(parts.map(({ input }) => input as number).sort((a, b) => a - b)).toEqual(
        Array.from({ length: last + 1 }, (_, part) => part),
      );
    });

    it('is still the child of its parent, which hears of the end, and takes it with it when it is cancelled', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', async (ctx, { part, last }: { part: number; last: number }): Promise<string> => {
        await ctx.sleep(1);
        if (part === last) return `child ${part}`;
        if (part === 2 && last > 5) await ctx.waitEvent('never');
        return await ctx.recur({ part: part + 1, last });
      });
      const parent = defineWorkflow('parent', async (ctx, last: number): Promise<string> => {
        return await ctx.runChild(child, { part: 0, last }, { instanceId: `${ctx.instanceId}-child` });
      });
      const app = await harness.app({ workflows: [parent, child] });
      expect(await harness.drive((await app.romancy.startWorkflow(parent, 3, { instanceId: 'p' })).result())).toBe('child 3');
      expect(await app.romancy.get('p-child')).toMatchObject({ parentId: 'p', continuedFrom: 'p-child~3' });
      const handle = await app.romancy.startWorkflow(parent, 9, { instanceId: 'q' });
      await harness.untilStatus(app, 'q-child', 'waiting_for_event');
      await harness.drive(handle.cancel('enough'));
      await harness.untilStatus(app, 'q-child', 'cancelled');
      expect((await app.romancy.get('q-child'))?.cancelReason).toBe('enough');
    });

    it('may do so a thousand times: each costs the same, and leaves one row', async () => {
      const harness = await bench.harness();
      const last = bench.options.longHistory / 10;
      const counts: number[] = [];
      const workflow = defineWorkflow('counter', async (ctx, part: number): Promise<number> => {
        if (part === 0) await ctx.subscribe('news');
        if (part % (last / 10) === 0) counts.push(app.storage.count());
        await ctx.run('step', () => part);
        return part === last ? part : await ctx.recur(part + 1);
      });
      const app = await harness.app({
        workflows: [workflow],
        workflowPollInterval: '1h',
        timerPollInterval: '1h',
        channelTimeoutInterval: '1h',
      });
      const handle = await app.romancy.startWorkflow(workflow, 0, { instanceId: 'counter' });
      expect(await harness.drive(handle.result())).toBe(last);
      const costs = counts.slice(1).map((count, index) => count - counts[index]!);
      expect(costs).toHaveLength(10);
      // The step, the recurrence with it or behind it, and a look at what came meanwhile.
      for (const cost of costs) expect(cost).toBeLessThan((last / 10) * 3.5);
      expect(costs.at(-1)! / costs[1]!).toBeLessThan(1.2);
      expect(await app.romancy.history('counter')).toHaveLength(2);
      expect(await app.romancy.history(`counter~${last}`)).toHaveLength(2);
      expect(app.romancy.status().running).toBe(0);
    });
  });
}

/** One step in each part. */
function stepsOf(last: number): Workflow<number, string> {
  return defineWorkflow('steps', async (ctx, part: number): Promise<string> => {
    await ctx.run('step', () => part);
    return part === last ? `end of ${part}` : await ctx.recur(part + 1);
  });
}
