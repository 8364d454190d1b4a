// Cases: code that does not fit its history is stopped without harm, and goes on when the right code comes.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, NonDeterminismError, type AnyWorkflow, type Storage, type WorkflowContext } from '../index.js';
import type { EngineBench } from './engine-harness.js';

type Body = (ctx: WorkflowContext, nap: () => Promise<unknown>) => Promise<unknown>;

interface Change {
  readonly what: string;
  readonly right: Body;
  readonly wrong: Body;
  /** Parts of the message: what history says, and what the code did. */
  readonly expected: string;
  readonly actual: string;
}

const changes: readonly Change[] = [
  {
    what: 'a changed name',
    right: async (ctx, nap) => [await ctx.run('reserve', () => 1), await nap()],
    wrong: async (ctx, nap) => [await ctx.run('book', () => 1), await nap()],
    expected: 'activity reserve:1',
    actual: 'activity book:1',
  },
  {
    what: 'a changed order',
    right: async (ctx, nap) => [await ctx.run('a', () => 1), await ctx.run('b', () => 2), await nap()],
    wrong: async (ctx, nap) => [await ctx.run('b', () => 2), await ctx.run('a', () => 1), await nap()],
    expected: 'activity a:1',
    actual: 'activity b:1',
  },
  {
    what: 'a call of another kind',
    right: async (ctx, nap) => [await ctx.run('sleep', () => 1), await nap()],
    wrong: async (ctx, nap) => [await ctx.sleep(1), await nap()],
    expected: 'activity sleep:1',
    actual: 'sleep sleep:1',
  },
  {
    what: 'one call more',
    right: async (ctx, nap) => [ctx.now(), await nap(), await ctx.run('a', () => 1)],
    wrong: async (ctx, nap) => [ctx.now(), ctx.random(), await nap(), await ctx.run('a', () => 1)],
    expected: 'wait for event go:1',
    actual: 'value random:1',
  },
  {
    what: 'one call less',
    right: async (ctx, nap) => [await ctx.run('a', () => 1), await ctx.run('b', () => 2), await nap()],
    wrong: async (ctx, nap) => [await ctx.run('a', () => 1), await nap()],
    expected: 'activity b:1',
    actual: 'wait for event go:1',
  },
  {
    what: 'an earlier end',
    right: async (ctx, nap) => [await ctx.run('a', () => 1), await nap()],
    wrong: async (ctx) => [await ctx.run('a', () => 1)],
    expected: 'wait for event go:1',
    actual: 'ended (completed) after 1 calls',
  },
  {
    what: 'an earlier failure',
    right: async (ctx, nap) => [await ctx.run('a', () => 1), await nap()],
    wrong: async (ctx) => {
      await ctx.run('a', () => 1);
      throw new Error('of the new code');
    },
    expected: 'wait for event go:1',
    actual: 'ended (failed) after 1 calls',
  },
  {
    what: 'a caught mismatch',
    right: async (ctx, nap) => [ctx.now(), await nap()],
    wrong: async (ctx, nap) => {
      try {
        ctx.uuid();
      } catch {
        // As code does that catches everything.
      }
      return [ctx.now(), await nap()];
    },
    expected: 'value now:1',
    actual: 'value uuid:1',
  },
  {
    what: 'a wait for another event',
    right: async (ctx, nap) => [await Promise.race([ctx.waitEvent('paid'), nap()])],
    wrong: async (ctx, nap) => [await Promise.race([ctx.waitEvent('refunded'), nap()])],
    expected: 'wait for event paid:1',
    actual: 'wait for event refunded:1',
  },
  {
    what: 'nothing where there was something',
    right: async (ctx, nap) => [await ctx.run('a', () => 1), await nap()],
    wrong: async () => await new Promise(() => undefined),
    expected: 'activity a:1',
    actual: 'nothing for 10 s, after 0 calls',
  },
  {
    what: 'another explicit id',
    right: async (ctx, nap) => [await ctx.run('a', () => 1, { id: 'first' }), await nap()],
    wrong: async (ctx, nap) => [await ctx.run('a', () => 1, { id: 'second' }), await nap()],
    expected: 'activity first',
    actual: 'activity second',
  },
];

export function determinismCases(bench: EngineBench): void {
  describe('code that does not fit its history', () => {
    it.for(changes)('by $what stalls, touches nothing, and goes on with the right code', async (change) => {
      const harness = await bench.harness();
      const nap = (ctx: WorkflowContext) => () => ctx.waitEvent('go');
      const of = (body: Body): AnyWorkflow => defineWorkflow('changing', (ctx) => body(ctx, nap(ctx)));
      const [right, wrong] = [of(change.right), of(change.wrong)];
      const first = await harness.app({ workflows: [right] });
      const { instanceId } = await first.romancy.startWorkflow(right);
      await harness.untilStatus(first, instanceId, 'waiting_for_event');
      const before = await historyOf(first.storage, instanceId);
      await harness.drive(first.romancy.stop());

      const second = await harness.app({ workflows: [wrong] });
      await harness.drive(second.romancy.sendEvent({ type: 'go', source: 'tests' }));
      await harness.untilStatus(second, instanceId, 'stalled');
      const error = (await second.romancy.get(instanceId))?.error as NonDeterminismError;
      expect(error).toBeInstanceOf(NonDeterminismError);
      expect(error).toMatchObject({ code: 'NON_DETERMINISM', workflowName: 'changing', instanceId });
      expect(error.message).toContain(`workflow changing, instance "${instanceId}"`);
      expect(error.message).toContain(`history says: ${change.expected}`);
      expect(error.message).toContain(`the code did: ${change.actual}`);
      expect(error.expected).toContain(change.expected);
      expect(error.actual).toContain(change.actual);
      expect(await historyOf(second.storage, instanceId)).toEqual(before);
      const said = (): unknown[] =>
        second.logger.matching('stalled: its code does not fit its history').map(({ fields }) => fields['instanceId']);
      // The database may show it before the process that did it has the answer.
      await harness.until(() => said().length > 0);
      await harness.drive(second.romancy.stop());
      expect(said()).toEqual([instanceId]);

      const third = await harness.app({ workflows: [right] });
      await harness.drive(third.romancy.getHandle(instanceId).result());
      expect((await historyOf(third.storage, instanceId)).slice(0, before.length)).toEqual(before);
    });

    it('is tried again after a while, and can be cancelled', async () => {
      const harness = await bench.harness();
      const of = (name: string) =>
        defineWorkflow('changing', async (ctx) => [await ctx.run(name, () => 1), await ctx.waitEvent('go')]);
      const [right, wrong] = [of('a'), of('b')];
      const first = await harness.app({ workflows: [right] });
      const { instanceId } = await first.romancy.startWorkflow(right);
      await harness.untilStatus(first, instanceId, 'waiting_for_event');
      await harness.drive(first.romancy.stop());
      const second = await harness.app({ workflows: [wrong] });
      await harness.drive(second.romancy.sendEvent({ type: 'go', source: 'tests' }));
      await harness.untilStatus(second, instanceId, 'stalled');
      expect((await second.romancy.get(instanceId))?.wakeAt).not.toBeNull();
      await harness.leap('10m');
      if (harness.clock !== undefined) await harness.until(() => second.logger.matching('stalled').length === 2);
      await harness.drive(second.romancy.cancel(instanceId, 'hopeless'));
      await harness.untilStatus(second, instanceId, 'cancelled');
    });

    it('only in what it awaits of its own goes on', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('importing', async (ctx) => {
        const before = await ctx.run('before', () => 1);
        const digest = await crypto.subtle.digest('SHA-256', new Uint8Array([before]));
        await ctx.sleep(harness.span('1d', 30));
        await new Promise((resolve) => setTimeout(resolve, 3));
        const after = await ctx.run('after', () => digest.byteLength);
        await ctx.sleep(harness.span('1d', 30));
        return after;
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      // Real time passes in the code, whatever the clock of the test says: a day that went by meanwhile would be taken for code that hangs.
      for (const timers of [1, 2]) {
        await harness.until(async () => (await historyOf(app.storage, handle.instanceId)).length >= 3 * timers - 1);
        await harness.leap('1d');
      }
      expect(await harness.drive(handle.result())).toBe(32);
      const history = await historyOf(app.storage, handle.instanceId);
      expect(history.map(({ kind }) => kind)).toEqual([
        'activity_completed',
        'timer_set',
        'timer_fired',
        'activity_completed',
        'timer_set',
        'timer_fired',
      ]);
    });
  });
}

function historyOf(storage: Storage, instanceId: string) {
  return storage.runs.history({ instanceId, afterSeq: 0, limit: 100 });
}
