// Cases: a cancellation undoes what was done, once, wherever the instance is, whatever its code makes of it.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, InstanceFinishedError, WorkflowCancelledError } from '../index.js';
import type { ProgressBatch } from '../ports/index.js';
import { endsCancelled } from './engine-ends-cancelled.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';
import { createDeeds, undone as undoneOf } from './engine-saga-stage.js';

const me = { of: 'me' };
const states = ['waiting', 'sleeping', 'retrying', 'running here', 'running in another process'] as const;

export function sagaCancelCases(bench: EngineBench): void {
  describe('a cancellation of what was done', () => {
    it.for(states)('undoes it, once, when the instance is %s', async (state) => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const [begun, noted] = [gate(), [] as unknown[]];
      const workflow = defineWorkflow('cancelled', async (ctx) => {
        ctx.signal.addEventListener('abort', () => noted.push(ctx.signal.reason));
        for (const name of ['a', 'b']) await ctx.run(undoable(name), me);
        if (state === 'waiting') await ctx.waitEvent('never');
        if (state === 'sleeping') await ctx.sleep('30d');
        if (state === 'retrying') {
          await ctx.run('fails', () => Promise.reject(new Error('no')), { retry: { firstDelay: '1h', maxDelay: '1h' } });
        }
        await ctx.run('long', async ({ signal }) => {
          begun.open();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          noted.push(signal.reason);
        });
        noted.push('went on');
      });
      const app = await harness.app({ workflows: [workflow] });
      const by = state === 'running in another process' ? await harness.app() : app;
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      if (state.startsWith('running')) await harness.drive(begun.opened);
      else
        await harness.untilStatus(
          app,
          instanceId,
          `waiting_for_${{ waiting: 'event', sleeping: 'timer', retrying: 'retry' }[state as 'waiting']}` as 'waiting_for_event',
        );
      await endsCancelled(harness, { app, by, instanceId });
      expect(undone).toEqual(undoneOf('b', 'a'));
      for (const reason of noted) expect(reason).toMatchObject({ code: 'WORKFLOW_CANCELLED', reason: 'enough' });
      expect(noted).toHaveLength(state.startsWith('running') ? 2 : 1);
      await harness.drive(by.romancy.cancel(instanceId, 'again'));
      expect((await app.romancy.get(instanceId))?.cancelReason).toBe('enough');
      await harness.leap('31d');
      expect(undone).toHaveLength(2);
      const kinds = (await app.romancy.history(instanceId)).map(({ kind }) => kind);
      expect(kinds.slice(-3)).toEqual(['compensation_begun', 'compensation_completed', 'compensation_completed']);
    });

    it('while it is undone after an error undoes nothing twice, and is how the instance ends', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const [begun, goOn] = [gate(), gate()];
      const workflow = defineWorkflow('failing', async (ctx) => {
        await ctx.run(undoable('a'), me);
        await ctx.run(
          undoable('b', { undoing: ({ signal }) => (begun.open(), goOn.opened.then(() => signal.throwIfAborted())) }),
          me,
        );
        await ctx.run(undoable('c'), me);
        throw new Error('no');
      });
      const [app, by] = [await harness.app({ workflows: [workflow] }), await harness.app()];
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.drive(begun.opened);
      await harness.drive(by.romancy.cancel(handle.instanceId, 'enough'));
      for (let turn = 0; turn < 20; turn++) await harness.tick();
      goOn.open();
      expect(await harness.failure(handle.result())).toBeInstanceOf(WorkflowCancelledError);
      expect(undone).toEqual(undoneOf('c', 'b', 'a'));
    });

    it('while it waits for the next attempt of a compensation neither hurries nor repeats it', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const workflow = defineWorkflow('waits', async (ctx) => {
        await ctx.run(undoable('a'), me);
        const policy = { retry: { maxAttempts: 2, firstDelay: harness.span('1h', 60) } };
        await ctx.run(
          undoable('b', { policy, undoing: ({ attempt }) => attempt > 1 || Promise.reject(new Error('once more')) }),
          me,
        );
        throw new Error('no');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.until(() => undone.length > 0);
      if (harness.clock !== undefined)
        await harness.until(async () => (await app.romancy.get(handle.instanceId))?.wakeAt instanceof Date);
      await harness.drive(handle.cancel('enough'));
      expect(await harness.failure(harness.drive(handle.result(), '30m'))).toBeInstanceOf(WorkflowCancelledError);
      expect(undone).toEqual(undoneOf('b', 'b', 'a'));
    });

    it('that comes before the end of the code undoes also what was done by then and not handed out', async () => {
      const harness = await bench.harness();
      const { undoable, undone, done } = createDeeds();
      const go = gate();
      const both = ['a', 'b'].map((name) => undoable(name, { doing: () => go.opened }));
      const workflow = defineWorkflow('raced', async (ctx) => {
        await Promise.race(both.map((activity) => ctx.run(activity, me)));
        return 'over';
      });
      const app = await harness.app({ workflows: [workflow] });
      let asked = 0;
      const ends = ({ settlements }: ProgressBatch): boolean =>
        settlements.some((one) => one.type === 'finish' && one.status === 'completed');
      app.storage.plan = {
        before: async ({ name, argument }) => {
          if (name === 'runs.commit' && ends(argument as ProgressBatch) && asked++ === 0)
            await app.storage.instances.requestCancel({ instanceId: 'raced', reason: 'enough' });
        },
      };
      const handle = await app.romancy.startWorkflow(workflow, undefined, { instanceId: 'raced' });
      await harness.until(() => done.length === 2);
      go.open();
      expect(await harness.failure(handle.result())).toBeInstanceOf(WorkflowCancelledError);
      expect(asked).toBeGreaterThan(0);
      expect(undone).toEqual(undoneOf('b', 'a'));
    });

    it('is refused once all is undone and the instance has failed', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const workflow = defineWorkflow('over', async (ctx) => {
        await ctx.run(undoable('a'), me);
        throw new Error('no');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.failure(handle.result());
      expect(await harness.failure(handle.cancel('late'))).toBeInstanceOf(InstanceFinishedError);
      expect(undone).toEqual(undoneOf('a'));
      expect(await handle.status()).toBe('failed');
    });

    it('stands, whatever the code does about its signal', async () => {
      const harness = await bench.harness();
      const { undoable, undone } = createDeeds();
      const [begun, went] = [gate(), [] as string[]];
      const workflow = defineWorkflow('deaf', async (ctx) => {
        await ctx.run(undoable('a'), me);
        const aborted = new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
        void ctx.run('long', () => (begun.open(), new Promise(() => undefined)));
        await aborted;
        for (const attempt of [1, 2, 3]) {
          try {
            ctx.now();
            await ctx.run('more', () => void went.push(`more ${attempt}`));
            await ctx.publish('news', attempt);
            went.push('went on');
          } catch {
            // As code does that catches everything.
          }
        }
        return 'done';
      });
      const app = await harness.app({ workflows: [workflow] });
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      await harness.drive(begun.opened);
      await endsCancelled(harness, { app, by: app, instanceId });
      expect(undone).toEqual(undoneOf('a'));
      expect(went).toEqual([]);
      expect((await app.romancy.history(instanceId)).map(({ kind }) => kind)).toEqual([
        'activity_compensable',
        'compensation_begun',
        'compensation_completed',
      ]);
    });

    it('in the moment in which an activity completes undoes it, or it never completed', async (context) => {
      const harness = await bench.harness();
      const rows = harness.rows(context);
      const deeds = createDeeds();
      const seen = new Set<boolean>();
      const pass = async (turns: number): Promise<void> => {
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      };
      const asked: Promise<void>[] = [];
      const a = deeds.undoable('a', {
        doing: async (ctx) => {
          await rows.write(ctx, ctx.instanceId, 'done');
          const [before, after] = ctx.instanceId.split('/').map(Number);
          asked.push(pass(before!).then(() => app.romancy.cancel(ctx.instanceId, 'enough')));
          await pass(after!);
        },
        undoing: (ctx) => rows.write(ctx, ctx.instanceId, 'undone'),
      });
      const workflow = defineWorkflow('close', async (ctx) => {
        await ctx.run(a, { of: ctx.instanceId });
        await ctx.run('end', () => 'end');
        await ctx.sleep('1h');
      });
      const app = await harness.app({ workflows: [workflow] });
      for (let round = 0; round < 36; round++) {
        const instanceId = `${round % 6}/${Math.floor(round / 6) * 2}`;
        const handle = await harness.drive(app.romancy.startWorkflow(workflow, undefined, { instanceId }));
        expect(await harness.failure(handle.result())).toBeInstanceOf(WorkflowCancelledError);
        const wasDone = (await app.romancy.history(instanceId)).some(({ kind }) => kind === 'activity_compensable');
        expect(await rows.read(instanceId), instanceId).toBe(wasDone ? 'undone' : undefined);
        expect(deeds.undone.filter((line) => line.includes(`of ${instanceId} by`))).toHaveLength(wasDone ? 1 : 0);
        seen.add(wasDone);
      }
      await Promise.all(asked);
      // Where time is real, the machine decides who comes first. With one writer at a time the cancellation comes before or after the
      // transaction, and never into it.
      if (harness.clock !== undefined) expect(seen).toContain(true);
      if (harness.clock !== undefined && app.storage.kind !== 'sqlite') expect(seen).toContain(false);
    });
  });
}
