// Cases: ids of activities, their input and output, and what is no activity.
import { describe, expect, it } from 'vitest';
import {
  defineActivity,
  defineWorkflow,
  DuplicateCallIdError,
  NestedCallError,
  ValidationError,
  type WorkflowFailedError,
  type StandardSchema,
} from '../index.js';
import type { EngineBench } from './engine-harness.js';

/** Retries that nobody has to wait for. */
const atOnce = { firstDelay: 1, jitter: false } as const;

export function activityCases(bench: EngineBench): void {
  describe('an activity', () => {
    it('has an id made of its name and a number, or the id that it was given', async () => {
      const harness = await bench.harness();
      const seen: string[] = [];
      const charge = defineActivity('charge', ({ activityId, attempt, workflowName, instanceId }) => {
        seen.push(`${workflowName}/${instanceId}/${activityId}/${attempt}`);
      });
      const workflow = defineWorkflow('ids', async (ctx) => {
        await ctx.run(charge);
        await ctx.run('refund', ({ activityId }) => void seen.push(activityId));
        await Promise.all([ctx.run(charge), ctx.run(charge, undefined, { id: 'charge for boots' }), ctx.run(charge)]);
      });
      const app = await harness.app({ workflows: [workflow] });
      await harness.drive((await app.romancy.startWorkflow(workflow, undefined, { instanceId: 'i' })).result());
      expect(seen).toEqual(['ids/i/charge:1/1', 'refund:1', 'ids/i/charge:2/1', 'ids/i/charge for boots/1', 'ids/i/charge:3/1']);
    });

    it('is refused an explicit id that another call of the run has', async () => {
      const harness = await bench.harness();
      const run = async (ids: readonly (string | undefined)[]): Promise<unknown> => {
        const workflow = defineWorkflow(`twice ${ids.join()}`, async (ctx) => {
          for (const id of ids) await ctx.run('step', () => 1, id === undefined ? {} : { id });
        });
        const app = await harness.app({ workflows: [workflow] });
        const handle = await app.romancy.startWorkflow(workflow);
        return ((await harness.failure(handle.result())) as WorkflowFailedError).cause;
      };
      for (const ids of [
        ['same', 'same'],
        [undefined, 'step:1'],
        ['step:1', undefined],
        [undefined, undefined, 'step:2'],
      ]) {
        expect(await run(ids)).toBeInstanceOf(DuplicateCallIdError);
      }
    });

    it('has its input and output checked by its schemas, without a retry', async () => {
      const harness = await bench.harness();
      let attempts = 0;
      const positive: StandardSchema<number> = {
        '~standard': {
          version: 1,
          vendor: 'tests',
          validate: (value) =>
            (value as number) > 0 ? { value: value as number } : { issues: [{ message: 'is not positive' }] },
        },
      };
      const minusTen = defineActivity('minus ten', (_ctx, input: number) => (attempts++, input - 10), {
        input: positive,
        output: positive,
        retry: atOnce,
      });
      const workflow = defineWorkflow('schemas', async (ctx) => {
        const results = await Promise.allSettled([ctx.run(minusTen, 11), ctx.run(minusTen, -1), ctx.run(minusTen, 5)]);
        return results.map((result) =>
          result.status === 'fulfilled'
            ? result.value
            : [result.reason instanceof ValidationError, (result.reason as Error).message],
        );
      });
      const app = await harness.app({ workflows: [workflow] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toEqual([
        1,
        [true, expect.stringContaining('input of activity minus ten:2')],
        [true, expect.stringContaining('output of activity minus ten:3')],
      ]);
      expect(attempts).toBe(2);
    });

    it('cannot make durable calls of its own', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('nesting', async (ctx) => {
        await ctx.run('outer', () => ctx.run('inner', () => 1));
      });
      const app = await harness.app({ workflows: [workflow] });
      const error = (await harness.failure((await app.romancy.startWorkflow(workflow)).result())) as WorkflowFailedError;
      expect(error.cause).toBeInstanceOf(NestedCallError);
      expect(error.cause).toMatchObject({ activityId: 'outer:1' });
    });

    it('is one that was declared, or a name and a function: all else is refused at the call', async () => {
      const harness = await bench.harness();
      const odd: readonly unknown[][] = [[undefined, 1], [null], [() => 1], [{ name: 'a' }, 1], ['name', 5], ['', () => 1]];
      const declared = defineActivity('declared', () => 1);
      const workflow = defineWorkflow('odd', async (ctx, index: number) => {
        const { run } = ctx as unknown as { readonly run: (...given: readonly unknown[]) => Promise<unknown> };
        if (index < odd.length) await run(...odd[index]!);
        await run(declared, undefined, { retries: 3 });
      });
      const app = await harness.app({ workflows: [workflow] });
      for (let index = 0; index <= odd.length; index++) {
        const failed = (await harness.failure(
          (await app.romancy.startWorkflow(workflow, index)).result(),
        )) as WorkflowFailedError;
        const { code, message } = failed.cause as { readonly code: string; readonly message: string };
        expect(code).toBe(index < odd.length ? 'INVALID_ARGUMENT' : 'CONFIGURATION');
        expect(message).toMatch(/takes (?:what defineActivity returned|a function|1 to 255)|retries is no option/);
      }
    });

    it('gets a copy of its input, and hands over a copy of its output', async () => {
      const harness = await bench.harness();
      const list = { items: ['a'] };
      const push = defineActivity('push', (_ctx, input: { items: string[] }) => {
        input.items.push('by the activity');
        return input;
      });
      const workflow = defineWorkflow('copies', async (ctx) => {
        const input = { items: ['a'] };
        const running = ctx.run(push, input);
        input.items.push('by the workflow');
        const output = await running;
        const shared = await ctx.run('shared', () => list);
        shared.items.push('x');
        return { input, output };
      });
      const app = await harness.app({ workflows: [workflow] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow)).result())).toEqual({
        input: { items: ['a', 'by the workflow'] },
        output: { items: ['a', 'by the activity'] },
      });
      expect(list.items).toEqual(['a']);
    });
  });
}
