// Cases: an instance that begins anew has children of earlier parts.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, type WorkflowContext } from '../index.js';
import { childTopic } from '../domain/topic.js';
import type { EngineBench, EngineHarness, TestApp } from './engine-harness.js';

export function familyCases(bench: EngineBench): void {
  describe('children of an instance that recurs', () => {
    const child = defineWorkflow('child', async (ctx, waits: boolean) => {
      if (waits) await ctx.waitEvent('never');
      return 'done';
    });
    /** Starts a child in each part; the last part has none of its own, and does what it is told. */
    const parent = (last: (ctx: WorkflowContext) => Promise<unknown>) =>
      defineWorkflow('parent', async (ctx, part: number): Promise<unknown> => {
        if (part === 3) return await last(ctx);
        await ctx.startChild(child, true);
        return await ctx.recur(part + 1);
      });
    const ids = ['p/child:1', 'p~1/child:1', 'p~2/child:1'];

    async function areCancelled(harness: EngineHarness, app: TestApp, cancelReason: string): Promise<void> {
      for (const instanceId of ids) {
        await harness.until(async () => (await app.romancy.get(instanceId))?.status === 'cancelled');
        expect(await app.romancy.get(instanceId)).toMatchObject({ cancelReason, parentId: 'p' });
      }
    }

    it('are cancelled with a later part that is put away', async () => {
      const harness = await bench.harness();
      const workflow = parent((ctx) => ctx.waitEvent('never'));
      const app = await harness.app({ workflows: [workflow, child] });
      const handle = await app.romancy.startWorkflow(workflow, 0, { instanceId: 'p' });
      await harness.untilStatus(app, 'p', 'waiting_for_event');
      for (const instanceId of ids) await harness.untilStatus(app, instanceId, 'waiting_for_event');
      await harness.drive(handle.cancel('enough'));
      await areCancelled(harness, app, 'enough');
    });

    it('are cancelled when a later part fails, also one whose process died in between', async () => {
      const harness = await bench.harness();
      const workflow = parent(async (ctx) => {
        await ctx.waitEvent('go');
        throw new Error('no');
      });
      const first = await harness.app({ workflows: [workflow, child] });
      await first.romancy.startWorkflow(workflow, 0, { instanceId: 'p' });
      await harness.untilStatus(first, 'p', 'waiting_for_event');
      first.crash();
      const second = await harness.app({ workflows: [workflow, child] });
      await harness.bury(first, second);
      await harness.drive(second.romancy.sendEvent({ id: 'e', type: 'go', source: 's' }));
      await areCancelled(harness, second, 'its parent has ended');
    });

    it('go on when the last part completes, and nobody is warned that their ends are told to nobody', async () => {
      const harness = await bench.harness();
      const quick = defineWorkflow('child', async (ctx) => void (await ctx.waitEvent('go')));
      const workflow = defineWorkflow('parent', async (ctx, part: number): Promise<string> => {
        await ctx.startChild(quick);
        return part === 1 ? 'end' : await ctx.recur(part + 1);
      });
      const app = await harness.app({ workflows: [workflow, quick] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow, 0, { instanceId: 'p' })).result())).toBe('end');
      const both = ['p/child:1', 'p~1/child:1'];
      for (const instanceId of both) await harness.untilStatus(app, instanceId, 'waiting_for_event');
      await harness.drive(app.romancy.sendEvent({ id: 'e', type: 'go', source: 's' }));
      for (const instanceId of both) await harness.untilStatus(app, instanceId, 'completed');
      expect(app.logger.lines.filter(({ level }) => level === 'warn')).toEqual([]);
    });

    it('leave nothing behind with those whose end nobody asked for', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('parent', async (ctx, part: number): Promise<unknown> => {
        if (part < 4) await ctx.startChild(child, part === 0);
        await ctx.waitEvent('go');
        return await ctx.recur(part + 1);
      });
      const app = await harness.app({ workflows: [workflow, child] });
      await app.romancy.startWorkflow(workflow, 0, { instanceId: 'p' });
      const started = ['p/child:1', 'p~1/child:1', 'p~2/child:1', 'p~3/child:1'];
      for (let part = 0; part < 5; part++) {
        if (part > 0) await harness.until(async () => (await app.romancy.get('p'))?.input === part);
        await harness.untilStatus(app, 'p', 'waiting_for_event');
        if (part < 4) await harness.untilStatus(app, started[part]!, part === 0 ? 'waiting_for_event' : 'completed');
        await harness.drive(app.romancy.sendEvent({ id: `e${part}`, type: 'go', source: 's' }));
      }
      await harness.until(async () => (await app.romancy.get('p'))?.input === 5);
      const mail = await Promise.all(
        started.map((id) => app.storage.runs.mail({ instanceId: 'p', topic: childTopic(id), afterMailId: null, limit: 10 })),
      );
      expect(mail.flat()).toEqual([]);
      // The one that still runs is known to the last part all the same.
      expect((await app.romancy.history('p'))[0]).toMatchObject({
        kind: 'carried_over',
        data: { children: [{ instanceId: 'p/child:1', workflowName: 'child' }] },
      });
    });
  });
}
