// Cases: many starts in one call, each told of for itself, whole chunks or nothing of them.
import { describe, expect, it } from 'vitest';
import {
  defineWorkflow,
  InstanceConflictError,
  InvalidArgumentError,
  ValidationError,
  type StandardSchema,
  type StartResult,
} from '../index.js';
import type { ProgressBatch } from '../ports/index.js';
import type { TransitionCall } from '../testing/index.js';
import type { EngineBench, TestApp } from './engine-harness.js';

/** A commit takes so many. */
const chunk = 1000;

export function startManyCases(bench: EngineBench): void {
  describe('many starts', () => {
    it('are told of in order, and run to their ends here', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('doubling', (ctx, input: number) => ctx.run('double', () => input * 2));
      const app = await harness.app({ workflows: [workflow] });
      const results = await harness.drive(
        app.romancy.startMany(workflow, [{ input: 1 }, { input: 2, instanceId: 'two' }, { input: 3 }]),
      );
      expect(results.map(({ outcome }) => outcome)).toEqual(['started', 'started', 'started']);
      expect(results[1]!.instanceId).toBe('two');
      expect(await harness.drive(Promise.all(results.map(resultOf)))).toEqual([2, 4, 6]);
      expect(await app.romancy.startMany(workflow, [])).toEqual([]);
    });

    it('take one commit for a thousand, and one hint', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('counted', async (_ctx, input: number) => input);
      const app = await harness.app({ workflows: [workflow] });
      const batches = startingBatches(app);
      const orders = Array.from({ length: 2 * chunk + 1 }, (_, index) => ({ input: index, instanceId: `counted-${index}` }));
      const results = await harness.drive(app.romancy.startMany(workflow, orders));
      expect(results.map(({ instanceId }) => instanceId)).toEqual(orders.map(({ instanceId }) => instanceId));
      expect(batches.map(({ starts }) => starts.length)).toEqual([chunk, chunk, 1]);
      // With the starts may go what became of those before.
      const hints = batches.map(({ wakeups }) => wakeups!.filter(({ kind }) => kind === 'workflow_resumable'));
      expect(hints).toEqual([
        [{ kind: 'workflow_resumable', instanceId: 'counted-0', workflowName: 'counted', more: chunk - 1 }],
        [{ kind: 'workflow_resumable', instanceId: `counted-${chunk}`, workflowName: 'counted', more: chunk - 1 }],
        [{ kind: 'workflow_resumable', instanceId: `counted-${2 * chunk}`, workflowName: 'counted' }],
      ]);
      expect(await harness.drive(Promise.all(results.map(resultOf)))).toEqual(orders.map(({ input }) => input));
    });

    it('with ids that are in use are refused one by one, or give what is there', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('plain', async (_ctx, input: string) => input);
      const another = defineWorkflow('another', async () => 'of another workflow');
      const app = await harness.app({ workflows: [workflow, another] });
      await app.romancy.startWorkflow(workflow, 'first', { instanceId: 'taken' });
      await app.romancy.startWorkflow(another, undefined, { instanceId: 'foreign' });
      const orders = ['taken', 'free', 'foreign', 'free', 'taken'].map((instanceId) => ({ instanceId, input: 'second' }));

      const refused = await harness.drive(app.romancy.startMany(workflow, orders));
      expect(refused.map(({ outcome }) => outcome)).toEqual(['failed', 'started', 'failed', 'failed', 'failed']);
      for (const index of [0, 2, 3, 4]) expect(errorOf(refused[index]!)).toBeInstanceOf(InstanceConflictError);

      const there = await harness.drive(app.romancy.startMany(workflow, orders, { onConflict: 'existing' }));
      expect(there.map(({ outcome }) => outcome)).toEqual(['existing', 'existing', 'failed', 'existing', 'existing']);
      expect(errorOf(there[2]!)).toMatchObject({ code: 'INSTANCE_CONFLICT', instanceId: 'foreign' });
      expect(errorOf(there[2]!).message).toContain('"another"');
      expect(await harness.drive(resultOf(there[0]!))).toBe('first');
      expect(await harness.drive(resultOf(there[3]!))).toBe('second');
    });

    it('go on without those whose input cannot be taken', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('checked', async (_ctx, input: number) => input, { input: whole });
      const app = await harness.app({ workflows: [workflow] });
      const results = await harness.drive(
        app.romancy.startMany(workflow, [{ input: '1' }, { input: 'one', instanceId: 'bad' }, { input: '3' }]),
      );
      expect(results.map(({ outcome }) => outcome)).toEqual(['started', 'failed', 'started']);
      expect(errorOf(results[1]!)).toBeInstanceOf(ValidationError);
      expect(await app.romancy.get('bad')).toBeUndefined();
      expect(await harness.drive(resultOf(results[2]!))).toBe(3);
    });

    it('with a list that is none, or has something else in it, start nothing', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('plain', async (_ctx, input: { readonly sku: string }) => input.sku);
      const app = await harness.app({ workflows: [workflow] });
      const good = { input: { sku: 'boots' }, instanceId: 'good' };
      for (const [bad, argument] of [
        [{ sku: 'boots' }, 'starts[1]'],
        [{ ...good, instanceId: '' }, 'starts[1].instanceId'],
        [null, 'starts[1]'],
      ] as const) {
        const refusal = await harness.failure(app.romancy.startMany(workflow, [good, bad as unknown as typeof good]));
        expect(refusal).toBeInstanceOf(InvalidArgumentError);
        expect(refusal).toMatchObject({ argument });
      }
      const refusal = await harness.failure(app.romancy.startMany(workflow, good as unknown as readonly (typeof good)[]));
      expect(refusal).toMatchObject({ argument: 'starts' });
      expect(await app.romancy.get('good')).toBeUndefined();
    });

    it('of which an answer was lost take effect once', async () => {
      const harness = await bench.harness();
      const runs = new Map<string, number>();
      const workflow = defineWorkflow('once', async (ctx) => {
        await ctx.run('note', ({ instanceId }) => void runs.set(instanceId, (runs.get(instanceId) ?? 0) + 1));
      });
      const app = await harness.app({ workflows: [workflow] });
      let lost = 0;
      app.storage.plan = { fault: (call) => (startsOf(call).length > 0 && lost++ % 2 === 0 ? { fail: 'after' } : undefined) };
      const orders = Array.from({ length: chunk + 20 }, (_, index) => ({ instanceId: `once-${index}` }));
      const results = await harness.drive(app.romancy.startMany(workflow, orders));
      expect(lost).toBeGreaterThanOrEqual(4);
      expect(results.every(({ outcome }) => outcome === 'started')).toBe(true);
      await harness.drive(Promise.all(results.map(resultOf)));
      expect([...runs.values()].filter((times) => times !== 1)).toEqual([]);
      expect(runs.size).toBe(orders.length);
    });

    it('survive a lost lease, under another identity', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('survivor', async (_ctx, input: number) => input);
      const app = await harness.app({ workflows: [workflow] });
      const heir = await harness.app({ workflows: [] });
      const { workerId } = app.romancy.status();
      let doubts = 0;
      app.storage.plan = {
        // It took effect, nobody was told, and when it is sent again the worker is nobody.
        fault: (call) => (startsOf(call).length > 0 && doubts++ === 0 ? { fail: 'after' } : undefined),
        before: async (call) => {
          if (startsOf(call).length > 0 && doubts === 1) await heir.storage.leases.retire({ workerId });
        },
      };
      const orders = Array.from({ length: 50 }, (_, index) => ({ input: index, instanceId: `s-${index}` }));
      const results = await harness.drive(app.romancy.startMany(workflow, orders));
      expect(app.romancy.status().workerId).not.toBe(workerId);
      expect(results.map(({ outcome }) => outcome)).toEqual(orders.map(() => 'started'));
      expect(await harness.drive(Promise.all(results.map(resultOf)))).toEqual(orders.map(({ input }) => input));
    });

    it('of a process that dies in between are there by whole commits, and the same call elsewhere starts the rest', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('interrupted', async (_ctx, input: number) => input);
      const dying = await harness.app({ workflows: [] });
      dying.storage.plan = {
        before: async (call) => {
          if (startsOf(call)[0]?.instanceId !== `i-${chunk}`) return;
          dying.crash();
          await new Promise(() => undefined);
        },
      };
      const orders = Array.from({ length: 2 * chunk + 5 }, (_, index) => ({ input: index, instanceId: `i-${index}` }));
      void dying.romancy.startMany(workflow, orders);
      const heir = await harness.app({ workflows: [] });
      const ids = orders.map(({ instanceId }) => instanceId);
      await harness.until(async () => (await heir.storage.instances.workflowsOf(ids)).length >= chunk);
      for (let moment = 0; moment < 20; moment++) await harness.tick();
      const there = await heir.storage.instances.workflowsOf(ids);
      expect(new Set(there.map(({ instanceId }) => instanceId))).toEqual(new Set(ids.slice(0, chunk)));
      const results = await harness.drive(heir.romancy.startMany(workflow, orders, { onConflict: 'existing' }));
      const outcomes = results.map(({ outcome }) => outcome);
      expect(outcomes.slice(0, chunk).every((outcome) => outcome === 'existing')).toBe(true);
      expect(outcomes.slice(chunk).every((outcome) => outcome === 'started')).toBe(true);
    });
  });
}

const whole: StandardSchema<string, number> = {
  '~standard': {
    version: 1,
    vendor: 'tests',
    validate: (value) => {
      const number = Number(value);
      return Number.isNaN(number) ? { issues: [{ message: 'is no number' }] } : { value: number };
    },
  },
};

function startsOf({ name, argument }: TransitionCall): ProgressBatch['starts'] {
  return name === 'runs.commit' ? (argument as ProgressBatch).starts : [];
}

/** The commits with starts, as they are sent from here on. */
function startingBatches(app: TestApp): readonly ProgressBatch[] {
  const batches: ProgressBatch[] = [];
  app.storage.plan = {
    before: (call) => {
      if (startsOf(call).length > 0) batches.push(call.argument as ProgressBatch);
    },
  };
  return batches;
}

async function resultOf<TOutput>(started: StartResult<TOutput>): Promise<TOutput> {
  if (started.outcome === 'failed') throw started.error;
  return await started.handle.result();
}

function errorOf(started: StartResult<unknown>): Error {
  expect(started.outcome).toBe('failed');
  return (started as Extract<StartResult<unknown>, { outcome: 'failed' }>).error;
}
