// Cases: what starting a workflow does, and what its handle tells, in this process and in another.
import { describe, expect, it } from 'vitest';
import {
  defineWorkflow,
  InstanceConflictError,
  InstanceNotFoundError,
  InvalidArgumentError,
  ResultTimeoutError,
  WorkflowFailedError,
  type StandardSchema,
} from '../index.js';
import type { EngineBench } from './engine-harness.js';

export function workflowCases(bench: EngineBench): void {
  describe('a workflow', () => {
    it('of one activity is completed, and its result is what the function returned', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('one', async (ctx, input: number) => (await ctx.run('double', () => input * 2)) + 1);
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow, 21);
      expect(await harness.drive(handle.result())).toBe(43);
      expect(await handle.status()).toBe('completed');
      const view = await app.romancy.get(handle.instanceId);
      expect(view).toMatchObject({
        workflowName: 'one',
        status: 'completed',
        input: 21,
        output: 43,
        workerId: null,
        wakeAt: null,
      });
      expect(view?.error).toBeUndefined();
      expect(view?.finishedAt?.getTime()).toBeGreaterThanOrEqual(view!.startedAt.getTime());
    });

    it('of three activities has three entries in its history, in order', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('three', async (ctx) => {
        const first = await ctx.run('first', () => 1);
        const second = await ctx.run('second', () => first + 1);
        return await ctx.run('third', () => second + 1);
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      expect(await harness.drive(handle.result())).toBe(3);
      const history = await app.storage.runs.history({ instanceId: handle.instanceId, afterSeq: 0, limit: 10 });
      expect(history.map(({ kind, callId, position }) => ({ kind, callId, position }))).toEqual(
        ['first:1', 'second:1', 'third:1'].map((callId, position) => ({ kind: 'activity_completed', callId, position })),
      );
    });

    it('that throws is failed, and the error can be read in any process', async () => {
      const harness = await bench.harness();
      class OutOfStock extends Error {
        override readonly name = 'OutOfStock';
        readonly sku: string;
        constructor(sku: string) {
          super(`no ${sku} left`, { cause: new RangeError('0 is too few') });
          this.sku = sku;
        }
      }
      const workflow = defineWorkflow('failing', (_ctx, sku: string) => {
        throw new OutOfStock(sku);
      });
      const here = await harness.app({ workflows: [workflow] });
      const knowing = await harness.app({ errors: [OutOfStock] });
      const stranger = await harness.app();
      const { instanceId } = await here.romancy.startWorkflow(workflow, 'boots');
      for (const app of [here, knowing, stranger]) {
        const error = (await harness.failure(app.romancy.getHandle(instanceId).result())) as WorkflowFailedError;
        expect(error).toBeInstanceOf(WorkflowFailedError);
        expect(error.instanceId).toBe(instanceId);
        expect(error.cause).toBeInstanceOf(Error);
        expect(error.cause).toMatchObject({ name: 'OutOfStock', message: 'no boots left', sku: 'boots' });
        expect((error.cause as Error).stack).toContain('no boots left');
        expect((error.cause as Error).cause).toMatchObject({ name: 'RangeError', message: '0 is too few' });
        expect(await app.romancy.getHandle(instanceId).status()).toBe('failed');
        expect((await app.romancy.get(instanceId))?.error).toMatchObject({ sku: 'boots' });
      }
      const rebuilt = (await harness.failure(knowing.romancy.getHandle(instanceId).result())) as WorkflowFailedError;
      expect(rebuilt.cause).toBeInstanceOf(OutOfStock);
    });

    it('that throws what is no error, or what cannot be written down, is failed all the same', async () => {
      const harness = await bench.harness();
      const things: unknown[] = ['a text', undefined, null, Symbol('odd'), () => 1, Object.create(null), { own: 1 }];
      const workflow = defineWorkflow('odd', (_ctx, index: number) => {
        throw things[index];
      });
      const app = await harness.app({ workflows: [workflow] });
      for (const index of things.keys()) {
        const handle = await app.romancy.startWorkflow(workflow, index);
        expect(await harness.failure(handle.result())).toBeInstanceOf(WorkflowFailedError);
        expect(await handle.status()).toBe('failed');
      }
    });

    it('with an id that is in use is a conflict that names it, and does not run again', async () => {
      const harness = await bench.harness();
      let runs = 0;
      const workflow = defineWorkflow('once', async (ctx) => {
        runs++;
        return await ctx.run('answer', () => 42);
      });
      const [app, other] = [await harness.app({ workflows: [workflow] }), await harness.app({ workflows: [workflow] })];
      const first = await app.romancy.startWorkflow(workflow, undefined, { instanceId: 'order-1' });
      for (const { romancy } of [app, other]) {
        const refusal = await harness.failure(romancy.startWorkflow(workflow, undefined, { instanceId: 'order-1' }));
        expect(refusal).toBeInstanceOf(InstanceConflictError);
        expect(refusal).toMatchObject({ instanceId: 'order-1', code: 'INSTANCE_CONFLICT' });
        expect((refusal as Error).message).toContain('order-1');
      }
      expect(await harness.drive(first.result())).toBe(42);
      for (const { romancy } of [app, other]) {
        const again = await romancy.startWorkflow(workflow, undefined, { instanceId: 'order-1', onConflict: 'existing' });
        expect(again.instanceId).toBe('order-1');
        expect(await harness.drive(again.result())).toBe(42);
      }
      expect(runs).toBe(1);
    });

    it('of another name under an id that is in use is a conflict that says so, whatever is to be done about conflicts', async () => {
      const harness = await bench.harness();
      const there = defineWorkflow('there', () => 'the output of another workflow');
      const asked = defineWorkflow('asked for', () => 7);
      const app = await harness.app({ workflows: [there, asked] });
      await app.romancy.startWorkflow(there, undefined, { instanceId: 'taken' });
      for (const onConflict of ['existing', 'error'] as const) {
        const refusal = await harness.failure(app.romancy.startWorkflow(asked, undefined, { instanceId: 'taken', onConflict }));
        expect(refusal).toBeInstanceOf(InstanceConflictError);
        if (onConflict === 'existing') expect((refusal as Error).message).toContain('of workflow "there"');
      }
      const odd = app.romancy.startWorkflow(asked, undefined, { instanceId: 'taken', onConflict: 'ignore' as never });
      expect(await harness.failure(odd)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'onConflict' });
    });

    it('is found, by all who start it at once under one id and take what is there, as the same one', async () => {
      const harness = await bench.harness();
      let runs = 0;
      const workflow = defineWorkflow('found', async (ctx, index: number) => [++runs, index, await ctx.run('step', () => index)]);
      const apps = [await harness.app({ workflows: [workflow] }), await harness.app({ workflows: [workflow] })];
      const options = { instanceId: 'one', onConflict: 'existing' } as const;
      const handles = await harness.drive(
        Promise.all(Array.from({ length: 30 }, (_, index) => apps[index % 2]!.romancy.startWorkflow(workflow, index, options))),
      );
      const results = await harness.drive(Promise.all(handles.map((handle) => handle.result())));
      expect(runs).toBe(1);
      for (const result of results) expect(result).toEqual(results[0]);
    });

    it('is refused an id that no database can hold, as everybody is who asks for it', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('any', () => 1);
      const { romancy } = await harness.app({ workflows: [workflow] });
      for (const id of ['', 'a\u0000b', '\ud800', 'x'.repeat(256), 7 as never, null as never]) {
        for (const call of [
          async () => await romancy.get(id),
          async () => await romancy.getHandle(id).status(),
          async () => await romancy.cancel(id),
          ...(id === null ? [] : [async () => await romancy.startWorkflow(workflow, undefined, { instanceId: id })]),
        ]) {
          const refusal = await harness.failure(call());
          expect(refusal).toBeInstanceOf(InvalidArgumentError);
          expect(refusal).toMatchObject({ argument: 'instanceId' });
        }
      }
    });

    it('started twenty times at once under one id runs once', async () => {
      const harness = await bench.harness();
      let runs = 0;
      const workflow = defineWorkflow('contested', () => ++runs);
      const apps = [await harness.app({ workflows: [workflow] }), await harness.app({ workflows: [workflow] })];
      const starts = await harness.drive(
        Promise.allSettled(
          Array.from({ length: 20 }, (_, index) =>
            apps[index % 2]!.romancy.startWorkflow(workflow, undefined, { instanceId: 'contested' }),
          ),
        ),
      );
      const won = starts.filter(({ status }) => status === 'fulfilled');
      expect(won).toHaveLength(1);
      for (const start of starts) if (start.status === 'rejected') expect(start.reason).toBeInstanceOf(InstanceConflictError);
      for (const { romancy } of apps) expect(await harness.drive(romancy.getHandle('contested').result())).toBe(1);
      expect(runs).toBe(1);
    });

    it('of an unknown id is not found, whatever is asked of it', async () => {
      const harness = await bench.harness();
      const app = await harness.app();
      const handle = app.romancy.getHandle('nobody');
      for (const question of [
        () => handle.status(),
        () => handle.result(),
        () => handle.cancel(),
        () => handle.result({ timeout: 5 }),
      ]) {
        const error = await harness.failure(question());
        expect(error).toBeInstanceOf(InstanceNotFoundError);
        expect(error).toMatchObject({ instanceId: 'nobody', code: 'INSTANCE_NOT_FOUND' });
      }
      expect(await app.romancy.get('nobody')).toBeUndefined();
    });

    it('that another process runs can be waited for, by as many as want to', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('elsewhere', async (ctx) => {
        await ctx.sleep(harness.span('1h', 100));
        return 'done';
      });
      const app = await harness.app({ workflows: [workflow] });
      const asking = await harness.app();
      const { instanceId } = await asking.romancy.startWorkflow(workflow);
      const waiting = Promise.all(Array.from({ length: 30 }, () => asking.romancy.getHandle<string>(instanceId).result()));
      const impatient = await harness.failure(asking.romancy.getHandle(instanceId).result({ timeout: 20 }));
      expect(impatient).toBeInstanceOf(ResultTimeoutError);
      expect(impatient).toMatchObject({ instanceId, timeoutMs: 20 });
      await harness.untilStatus(app, instanceId, 'waiting_for_timer');
      await harness.leap('1h');
      expect(new Set(await harness.drive(waiting))).toEqual(new Set(['done']));
    });

    it('is begun once when the start and the poll of many apps race for it', async () => {
      const harness = await bench.harness();
      const begun = new Map<number, number>();
      const workflow = defineWorkflow('raced', async (ctx, input: number) => {
        begun.set(input, (begun.get(input) ?? 0) + 1);
        return await ctx.run('step', () => input);
      });
      const apps = await Promise.all(
        Array.from({ length: 3 }, () => harness.app({ workflows: [workflow], workflowPollInterval: 10, concurrency: 5 })),
      );
      const handles = await harness.drive(
        Promise.all(Array.from({ length: 60 }, (_, index) => apps[index % 3]!.romancy.startWorkflow(workflow, index))),
      );
      const results = await harness.drive(Promise.all(handles.map((handle) => handle.result())));
      expect(results).toEqual(handles.map((_, index) => index));
      expect([...begun.values()].filter((times) => times !== 1)).toEqual([]);
      expect(begun.size).toBe(60);
    });

    it('has its input and output checked by a schema when one is given', async () => {
      const harness = await bench.harness();
      let runs = 0;
      const workflow = defineWorkflow(
        'checked',
        (_ctx, input: { readonly count: number }) => {
          runs++;
          return input.count;
        },
        { input: counted, output: small },
      );
      const app = await harness.app({ workflows: [workflow] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow, { count: '7' })).result())).toBe(7);
      const refusal = await harness.failure(app.romancy.startWorkflow(workflow, { count: 'many' }, { instanceId: 'refused' }));
      expect(refusal).toMatchObject({ code: 'VALIDATION', issues: [{ path: 'items[2].count', message: 'is no number' }] });
      expect((refusal as Error).message).toContain('items[2].count');
      expect(await app.romancy.get('refused')).toBeUndefined();
      expect(runs).toBe(1);
      const large = await app.romancy.startWorkflow(workflow, { count: '1000' });
      const failed = (await harness.failure(large.result())) as WorkflowFailedError;
      expect(failed.cause).toMatchObject({ code: 'VALIDATION', issues: [{ path: '$', message: 'is too large' }] });
      expect(await large.status()).toBe('failed');
    });
  });
}

const counted: StandardSchema<{ readonly count: string }, { readonly count: number }> = {
  '~standard': {
    version: 1,
    vendor: 'tests',
    validate: async (value) => {
      const count = Number((value as { readonly count: string }).count);
      return Number.isNaN(count) ? { issues: [{ message: 'is no number', path: ['items', 2, 'count'] }] } : { value: { count } };
    },
  },
};

const small: StandardSchema<unknown, number> = {
  '~standard': {
    version: 1,
    vendor: 'tests',
    validate: (value) => ((value as number) < 100 ? { value: value as number } : { issues: [{ message: 'is too large' }] }),
  },
};
