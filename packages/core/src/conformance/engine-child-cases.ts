// Cases: workflows that start others and wait for them.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, WorkflowCancelledError, WorkflowFailedError, type InstanceConflictError } from '../index.js';
import type { EngineBench } from './engine-harness.js';

class OutOfStock extends Error {
  override readonly name = 'OutOfStock';
  constructor(readonly sku: string) {
    super(`no ${sku}`);
  }
}

export function childCases(bench: EngineBench): void {
  describe('a child workflow', () => {
    it('gives its result to the parent, which is put away meanwhile', async () => {
      const harness = await bench.harness();
      let parentRuns = 0;
      const child = defineWorkflow('child', async (ctx, number: number) => {
        await ctx.sleep(harness.span('1d', 60));
        return number + 1;
      });
      const parent = defineWorkflow('parent', async (ctx) => {
        parentRuns++;
        return [await ctx.runChild(child, 1), await ctx.runChild(child, 2, { instanceId: 'the second' })];
      });
      const app = await harness.app({ workflows: [parent, child] });
      const handle = await app.romancy.startWorkflow(parent, undefined, { instanceId: 'p' });
      await harness.untilStatus(app, 'p', 'waiting_for_child');
      expect(await app.romancy.get('p/child:1')).toMatchObject({ parentId: 'p', workflowName: 'child', input: 1 });
      expect(await harness.drive(handle.result(), '1d')).toEqual([2, 3]);
      expect(parentRuns).toBeGreaterThan(1);
      expect((await app.romancy.list({ workflowName: 'child' })).instances.map(({ instanceId }) => instanceId).sort()).toEqual([
        'p/child:1',
        'the second',
      ]);
    });

    it('runs beside others, in whatever process there is', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', async (ctx, number: number) => ctx.run('double', () => number * 2));
      const parent = defineWorkflow('parent', async (ctx) => {
        const numbers = Array.from({ length: 20 }, (_, number) => number);
        return await Promise.all(numbers.map((number) => ctx.runChild(child, number)));
      });
      const app = await harness.app({ workflows: [parent] });
      const handle = await app.romancy.startWorkflow(parent);
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_child');
      await harness.app({ workflows: [child] });
      expect(await harness.drive(handle.result())).toEqual(Array.from({ length: 20 }, (_, number) => number * 2));
    });

    it('that fails rejects with its error, of its class where that is known', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', (ctx) =>
        ctx.run('take', () => Promise.reject(new OutOfStock('lamp')), { retry: { maxAttempts: 1 } }),
      );
      const seen: unknown[] = [];
      const parent = defineWorkflow('parent', async (ctx) => {
        const error: unknown = await ctx.runChild(child).catch((caught: unknown) => caught);
        seen.push(error);
        await ctx.sleep(harness.span('1h', 40));
        return error instanceof WorkflowFailedError && error.cause instanceof OutOfStock && error.cause.sku;
      });
      const app = await harness.app({ workflows: [parent, child], errors: [OutOfStock] });
      const handle = await app.romancy.startWorkflow(parent, undefined, { instanceId: 'p' });
      expect(await harness.drive(handle.result(), '1h')).toBe('lamp');
      for (const error of seen) expect(error).toMatchObject({ code: 'WORKFLOW_FAILED', instanceId: 'p/child:1' });
    });

    it('is cancelled with its parent, and tells the parent when somebody else cancels it', async () => {
      const harness = await bench.harness();
      const grandchild = defineWorkflow('grandchild', (ctx) => ctx.waitEvent('never'));
      const child = defineWorkflow('child', (ctx) => ctx.runChild(grandchild));
      const parent = defineWorkflow('parent', (ctx) => ctx.runChild(child));
      const app = await harness.app({ workflows: [parent, child, grandchild] });
      const handle = await app.romancy.startWorkflow(parent, undefined, { instanceId: 'p' });
      await harness.untilStatus(app, 'p/child:1/grandchild:1', 'waiting_for_event');
      await harness.untilStatus(app, 'p', 'waiting_for_child');
      await harness.drive(handle.cancel('no longer wanted'));
      expect(await harness.failure(handle.result())).toBeInstanceOf(WorkflowCancelledError);
      for (const instanceId of ['p/child:1', 'p/child:1/grandchild:1']) {
        await harness.until(async () => (await app.romancy.get(instanceId))?.status === 'cancelled');
        expect(await app.romancy.get(instanceId)).toMatchObject({ cancelReason: 'no longer wanted' });
      }
      const second = await app.romancy.startWorkflow(parent, undefined, { instanceId: 'q' });
      await harness.untilStatus(app, 'q/child:1', 'waiting_for_child');
      await harness.drive(app.romancy.cancel('q/child:1', 'by hand'));
      const error = await harness.failure(second.result());
      expect(error).toMatchObject({ code: 'WORKFLOW_FAILED', cause: { code: 'WORKFLOW_CANCELLED', reason: 'by hand' } });
    });

    it('is cancelled when its parent fails, and goes on when its parent completes', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', async (ctx) => (await ctx.waitEvent('go')).id);
      const parent = defineWorkflow('parent', async (ctx, fails: boolean) => {
        const { instanceId } = await ctx.startChild(child);
        if (fails) throw new Error('no');
        return instanceId;
      });
      const app = await harness.app({ workflows: [parent, child] });
      await harness.failure((await app.romancy.startWorkflow(parent, true, { instanceId: 'fails' })).result());
      await harness.until(async () => (await app.romancy.get('fails/child:1'))?.status === 'cancelled');
      const completed = await app.romancy.startWorkflow(parent, false, { instanceId: 'completes' });
      expect(await harness.drive(completed.result())).toBe('completes/child:1');
      await harness.untilStatus(app, 'completes/child:1', 'waiting_for_event');
      await harness.drive(app.romancy.sendEvent({ id: 'e', type: 'go', source: 's' }));
      expect(await harness.drive(app.romancy.getHandle('completes/child:1').result())).toBe('e');
    });

    it('whose id is taken is a conflict at its result, and starts nothing', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', async () => 'done');
      const parent = defineWorkflow('parent', async (ctx) => {
        const started = await ctx.startChild(child, undefined, { instanceId: 'taken' });
        return await started.result().catch((error: unknown) => {
          const { code, message } = error as InstanceConflictError;
          // There is no such option here.
          return message.includes('onConflict') ? message : code;
        });
      });
      const app = await harness.app({ workflows: [parent, child] });
      await harness.drive((await app.romancy.startWorkflow(child, undefined, { instanceId: 'taken' })).result());
      const handle = await app.romancy.startWorkflow(parent);
      expect(await harness.drive(handle.result())).toBe('INSTANCE_CONFLICT');
      expect((await app.romancy.list({ workflowName: 'child' })).instances).toHaveLength(1);
    });

    it('is not cancelled with a parent that merely wanted its id', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', async (ctx) => (await ctx.waitEvent('go')).id);
      const parent = defineWorkflow('parent', async (ctx, ends: 'by failing' | 'by being cancelled') => {
        await ctx.startChild(child, undefined, { instanceId: 'somebody else' });
        if (ends === 'by failing') throw new Error('no');
        await ctx.waitEvent('never');
      });
      const app = await harness.app({ workflows: [parent, child] });
      const other = await app.romancy.startWorkflow(child, undefined, { instanceId: 'somebody else' });
      await harness.untilStatus(app, other.instanceId, 'waiting_for_event');
      await harness.failure((await app.romancy.startWorkflow(parent, 'by failing')).result());
      const cancelled = await app.romancy.startWorkflow(parent, 'by being cancelled');
      await harness.untilStatus(app, cancelled.instanceId, 'waiting_for_event');
      await harness.drive(cancelled.cancel());
      await harness.failure(cancelled.result());
      expect(await app.romancy.get(other.instanceId)).toMatchObject({ cancelRequested: false });
      await harness.drive(app.romancy.sendEvent({ id: 'e', type: 'go', source: 's' }));
      expect(await harness.drive(other.result())).toBe('e');
    });

    it('may fail while nobody listens', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', () => Promise.reject(new OutOfStock('lamp')));
      const parent = defineWorkflow('parent', async (ctx) => {
        const lost = ctx.runChild(child);
        await ctx.sleep(harness.span('1h', 60));
        return await lost.catch((error: unknown) => (error as WorkflowFailedError).code);
      });
      const app = await harness.app({ workflows: [parent, child] });
      const handle = await app.romancy.startWorkflow(parent);
      // A rejection that nobody handles would end the process, and fails a run of the tests.
      expect(await harness.drive(handle.result(), '1h')).toBe('WORKFLOW_FAILED');
    });

    it('is started once by a parent that crashes and runs again', async () => {
      const harness = await bench.harness();
      const child = defineWorkflow('child', async (ctx) => (await ctx.waitEvent('go')).id);
      const parent = defineWorkflow('parent', async (ctx) => {
        const started = await ctx.startChild(child);
        return await started.result();
      });
      const first = await harness.app({ workflows: [parent, child] });
      await first.romancy.startWorkflow(parent, undefined, { instanceId: 'p' });
      await harness.untilStatus(first, 'p/child:1', 'waiting_for_event');
      first.crash();
      const second = await harness.app({ workflows: [parent, child] });
      await harness.bury(first, second);
      await harness.drive(second.romancy.sendEvent({ id: 'e', type: 'go', source: 's' }));
      expect(await harness.drive(second.romancy.getHandle('p').result())).toBe('e');
      expect((await second.romancy.list({ workflowName: 'child' })).instances).toHaveLength(1);
    });
  });
}
