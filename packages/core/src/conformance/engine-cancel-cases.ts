// Cases: a cancellation ends an instance wherever it is, once, and nothing undoes it.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, InstanceFinishedError, WorkflowCancelledError, type AnyWorkflow, type Workflow } from '../index.js';
import { endsCancelled } from './engine-ends-cancelled.js';
import { gate } from './engine-gate.js';
import type { EngineBench } from './engine-harness.js';

export function cancelCases(bench: EngineBench): void {
  describe('a cancellation', () => {
    it('of an instance that waits for an event ends it with its reason', async () => {
      const harness = await bench.harness();
      let wentOn = false;
      const workflow = defineWorkflow('waiting', async (ctx) => {
        await ctx.waitEvent('never').finally(() => (wentOn = true));
      });
      const app = await harness.app({ workflows: [workflow] });
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, instanceId, 'waiting_for_event');
      await endsCancelled(harness, { app, by: app, instanceId });
      expect(wentOn).toBe(false);
      expect((await harness.drive(app.romancy.sendEvent({ type: 'never', source: 's' }))).receivers).toBe(0);
    });

    it('of a sleeping one, and of one that waits for its next attempt, ends it', async () => {
      const harness = await bench.harness();
      let attempts = 0;
      const sleeping = defineWorkflow('sleeping', (ctx) => ctx.sleep('30d'));
      const retrying = defineWorkflow('retrying', async (ctx) => {
        await ctx.run('fails', () => Promise.reject(new Error(`${++attempts}`)), { retry: { firstDelay: '1h', maxDelay: '1h' } });
      });
      const app = await harness.app({ workflows: [sleeping, retrying] });
      for (const [workflow, status] of [
        [sleeping, 'waiting_for_timer'],
        [retrying, 'waiting_for_retry'],
      ] as const) {
        const { instanceId } = await app.romancy.startWorkflow(workflow as Workflow<void, void>);
        await harness.untilStatus(app, instanceId, status);
        await endsCancelled(harness, { app, by: app, instanceId });
      }
      await harness.leap('31d');
      expect(attempts).toBe(1);
    });

    it.for(['in this process', 'in another process'])(
      'of one that runs %s aborts the signals of its activity and of itself',
      async (where) => {
        const harness = await bench.harness();
        const begun = gate();
        const reasons: unknown[] = [];
        const workflow = defineWorkflow('running', async (ctx) => {
          ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason));
          await ctx.run('long', async ({ signal }) => {
            begun.open();
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            reasons.push(signal.reason);
            return 'the result of a cancelled activity is nobody’s';
          });
          reasons.push('went on');
        });
        const app = await harness.app({ workflows: [workflow] });
        const by = where === 'in this process' ? app : await harness.app();
        const { instanceId } = await app.romancy.startWorkflow(workflow);
        await harness.drive(begun.opened);
        await endsCancelled(harness, { app, by, instanceId });
        expect(reasons).toHaveLength(2);
        for (const reason of reasons) {
          expect(reason).toBeInstanceOf(WorkflowCancelledError);
          expect(reason).toMatchObject({ instanceId, reason: 'enough' });
        }
        expect(await app.storage.runs.history({ instanceId, afterSeq: 0, limit: 5 })).toEqual([]);
      },
    );

    it('of one whose activity ignores its signal ends it all the same', async () => {
      const harness = await bench.harness();
      const [begun, never] = [gate(), gate()];
      const workflow = defineWorkflow('deaf', (ctx) => ctx.run('deaf', () => (begun.open(), never.opened)));
      const app = await harness.app({ workflows: [workflow] });
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      await harness.drive(begun.opened);
      await endsCancelled(harness, { app, by: app, instanceId });
      never.open();
      await harness.tick();
      expect(app.romancy.status().running).toBe(0);
    });

    it('of one that nobody runs yet ends it before it began', async () => {
      const harness = await bench.harness();
      let runs = 0;
      const workflow = defineWorkflow('pending', () => void runs++);
      const asking = await harness.app();
      const { instanceId } = await asking.romancy.startWorkflow(workflow);
      await harness.drive(asking.romancy.cancel(instanceId, 'enough'));
      expect(await asking.romancy.get(instanceId)).toMatchObject({
        status: 'pending',
        cancelRequested: true,
        cancelReason: 'enough',
      });
      const app = await harness.app({ workflows: [workflow] });
      await harness.untilStatus(app, instanceId, 'cancelled');
      expect(runs).toBe(0);
    });

    it('again is no matter, and the first reason stays; after another end it is refused', async () => {
      const harness = await bench.harness();
      const done = defineWorkflow('done', () => 'done');
      const failed = defineWorkflow('failed', () => Promise.reject(new Error('no')));
      const waiting = defineWorkflow('waiting', (ctx) => ctx.waitEvent('never'));
      const workflows: AnyWorkflow[] = [done, failed, waiting];
      const app = await harness.app({ workflows });
      const cancelled = await app.romancy.startWorkflow(waiting);
      await harness.untilStatus(app, cancelled.instanceId, 'waiting_for_event');
      await harness.drive(cancelled.cancel('first'));
      await harness.drive(cancelled.cancel('second'));
      await harness.untilStatus(app, cancelled.instanceId, 'cancelled');
      await harness.drive(cancelled.cancel('third'));
      expect((await app.romancy.get(cancelled.instanceId))?.cancelReason).toBe('first');
      const silent = await app.romancy.startWorkflow(waiting);
      await harness.drive(silent.cancel());
      expect(await harness.failure(silent.result())).toMatchObject({ code: 'WORKFLOW_CANCELLED', reason: null });
      for (const [workflow, status] of [
        [done, 'completed'],
        [failed, 'failed'],
      ] as const) {
        const handle = await app.romancy.startWorkflow(workflow as Workflow<void, unknown>);
        await harness.until(async () => (await handle.status()) === status);
        const refusal = await harness.failure(handle.cancel('late'));
        expect(refusal).toBeInstanceOf(InstanceFinishedError);
        expect(refusal).toMatchObject({ instanceId: handle.instanceId, status });
        expect(await handle.status()).toBe(status);
      }
    });

    it('tells its reason as it was given, and is refused one that no database can hold', async () => {
      const harness = await bench.harness();
      const waiting = defineWorkflow('waiting', (ctx) => ctx.waitEvent('never'));
      const app = await harness.app({ workflows: [waiting] });
      for (const reason of ['', 'two\nlines, a \t tab and 😀 "quoted"', 'x'.repeat(10_000)]) {
        const handle = await app.romancy.startWorkflow(waiting);
        for (const odd of ['a\u0000b', '\ud800', 'x'.repeat(10_001), 7, null, { why: 'so' }]) {
          const refusal = await harness.failure(handle.cancel(odd as never));
          expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'reason' });
        }
        expect((await app.romancy.get(handle.instanceId))?.cancelRequested).toBe(false);
        await harness.drive(handle.cancel(reason));
        expect(await harness.failure(handle.result())).toMatchObject({ code: 'WORKFLOW_CANCELLED', reason });
        expect((await app.romancy.get(handle.instanceId))?.cancelReason).toBe(reason);
      }
    });

    it('and the end at once: one of them is true, and everybody is told the same', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('close', async (ctx) => await ctx.run('step', () => 'done'));
      const apps = [await harness.app({ workflows: [workflow] }), await harness.app()];
      const outcomes = new Set<string>();
      for (let round = 0; round < 30; round++) {
        const [app, by] = [apps[0]!, apps[round % 2]!];
        const handle = await app.romancy.startWorkflow(workflow);
        for (let turn = 0; turn < round % 6; turn++) await new Promise((resolve) => setImmediate(resolve));
        const [asked, result] = await harness.drive(
          Promise.allSettled([by.romancy.cancel(handle.instanceId, 'enough'), handle.result()]),
        );
        outcomes.add(result.status);
        if (result.status === 'fulfilled') {
          expect(asked).toMatchObject({ status: 'rejected', reason: { code: 'INSTANCE_FINISHED' } });
        } else {
          expect(asked.status).toBe('fulfilled');
          expect(result.reason).toBeInstanceOf(WorkflowCancelledError);
        }
        expect(await handle.status()).toBe(result.status === 'fulfilled' ? 'completed' : 'cancelled');
      }
      expect(outcomes).toContain('rejected');
    });

    it('of each of a hundred, in all states at once, by several apps, ends each once', async () => {
      const harness = await bench.harness();
      const ends: string[] = [];
      const workflow = defineWorkflow('mixed', async (ctx, index: number) => {
        if (index % 4 === 0) await ctx.sleep('1h');
        if (index % 4 === 1) await ctx.waitEvent('never');
        if (index % 4 === 2) await ctx.run('fails', () => Promise.reject(new Error('no')), { retry: { firstDelay: '1h' } });
        await ctx.run('long', ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)));
      });
      const hooks = { onWorkflowEnd: (event: { instanceId: string; status: string }) => void ends.push(event.status) };
      const apps = await Promise.all(
        Array.from({ length: 3 }, () => harness.app({ workflows: [workflow], hooks, concurrency: 20 })),
      );
      const handles = await harness.drive(
        Promise.all(Array.from({ length: 100 }, (_, index) => apps[index % 3]!.romancy.startWorkflow(workflow, index))),
      );
      await harness.drive(
        Promise.all(handles.map(({ instanceId }, index) => apps[(index + 1) % 3]!.romancy.cancel(instanceId, `reason ${index}`))),
      );
      const reasons = await harness.drive(
        Promise.all(handles.map((handle) => handle.result().catch((error: WorkflowCancelledError) => error.reason))),
      );
      expect(reasons).toEqual(handles.map((_, index) => `reason ${index}`));
      // An app may read an end in the database before the one that brought it about has the answer to its commit.
      await harness.until(() => ends.length >= 100);
      expect(ends).toEqual(Array<string>(100).fill('cancelled'));
    });
  });
}
