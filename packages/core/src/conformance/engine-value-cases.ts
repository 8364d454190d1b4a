// Cases: values, payloads and recorded readings look the same on the first run, on replay and from outside.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, PayloadNotSerializableError, PayloadTooLargeError, type WorkflowFailedError } from '../index.js';
import type { EngineBench } from './engine-harness.js';

export function valueCases(bench: EngineBench): void {
  describe('a value', () => {
    it('of any kind is equal on the first run, on replay, and to who asks for the result', async () => {
      const harness = await bench.harness();
      const seen: unknown[] = [];
      const workflow = defineWorkflow('kinds', async (ctx, input: unknown) => {
        const output = await ctx.run('echo', () => kinds());
        seen.push({ input, output });
        await ctx.sleep(harness.span('1d', 50));
        return { input, output };
      });
      const app = await harness.app({ workflows: [workflow], errors: [Declined] });
      const handle = await app.romancy.startWorkflow(workflow, kinds());
      await harness.untilStatus(app, handle.instanceId, 'waiting_for_timer');
      await harness.leap('1d');
      const result = await harness.drive(handle.result());
      expect(seen).toHaveLength(2);
      for (const { input, output } of [...seen, result] as { input: Kinds; output: Kinds }[]) {
        for (const value of [input, output]) {
          expect(value).toEqual(kinds());
          expect(Object.keys(value)).toEqual(Object.keys(kinds()));
          expect(Object.is(value.minusZero, -0)).toBe(true);
          expect(value.error).toBeInstanceOf(Declined);
          expect(value.error).toMatchObject({ name: 'Error', message: 'declined', reason: 'card', cause: { message: 'empty' } });
        }
      }
      const view = await app.romancy.get(handle.instanceId);
      expect(view?.input).toEqual(kinds());
      expect((view?.output as { output: Kinds }).output).toEqual(kinds());
    });

    it('that cannot come back as it was is refused where it is handed over, with its path', async () => {
      const harness = await bench.harness();
      class Money {
        readonly cents = 5;
      }
      const circle: { self?: unknown } = {};
      circle.self = circle;
      const odd: [unknown, string][] = [
        [{ price: new Money() }, 'price'],
        [[1, { call: () => 1 }], 'call'],
        [{ key: Symbol('x') }, 'key'],
        [circle, 'self'],
      ];
      const workflow = defineWorkflow('refusing', async (ctx, index: number) => {
        const of = (promise: () => Promise<unknown>): Promise<unknown> =>
          promise().then(
            () => 'was taken',
            (error: unknown) => {
              const { path, message } = error as PayloadNotSerializableError;
              return [error instanceof PayloadNotSerializableError, path, message.split(':', 2).join(':')];
            },
          );
        return await of(async () => ctx.run('out', () => odd[index]![0]));
      });
      const app = await harness.app({ workflows: [workflow] });
      for (const [index, [value, path]] of odd.entries()) {
        const refusal = await harness.failure(
          app.romancy.startWorkflow(workflow, value as number, { instanceId: `odd-${index}` }),
        );
        expect(refusal).toBeInstanceOf(PayloadNotSerializableError);
        expect((refusal as PayloadNotSerializableError).path).toContain(path);
        expect((refusal as Error).message).toMatch(/^the input of workflow refusing: /);
        expect(await app.romancy.get(`odd-${index}`)).toBeUndefined();
        const result = await harness.drive((await app.romancy.startWorkflow(workflow, index)).result());
        expect(result).toEqual([true, expect.stringContaining(path), 'the output of activity out:1']);
      }
    });

    it.for([1, 1024 ** 2, 10 * 1024 ** 2])('of %i bytes goes in and comes out', async (length) => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('large', async (ctx, input: string) => {
        const output = await ctx.run('echo', () => input);
        await ctx.sleep(harness.span('1d', 5));
        return output;
      });
      const app = await harness.app({ workflows: [workflow] });
      const text = 'x'.repeat(length);
      const handle = await harness.drive(app.romancy.startWorkflow(workflow, text));
      await harness.untilAsleep(app, handle.instanceId);
      await harness.leap('1d');
      // Compared here, not by the matcher, which would print it.
      expect((await harness.drive(handle.result())) === text).toBe(true);
      expect(((await app.romancy.get(handle.instanceId))?.input as string) === text).toBe(true);
    });

    it('of unusual text or depth goes in and comes out', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('text', async (ctx, input: unknown) => await ctx.run('echo', () => input));
      const app = await harness.app({ workflows: [workflow] });
      let deep: unknown = 'bottom';
      for (let depth = 0; depth < 500; depth++) deep = depth % 2 === 0 ? { down: deep } : [deep];
      const values = [
        '\u0000',
        'a\u0000b',
        '😀 ẞ \u202e',
        '\ud800 alone',
        '"\\\'$1%_;--',
        { '\u0000': 1, __proto__x: 2, '': 3, $: 4 },
        deep,
      ];
      for (const value of values) {
        expect(await harness.drive((await app.romancy.startWorkflow(workflow, value)).result())).toEqual(value);
      }
    });

    it('is taken up to the depth that every database can hold, and refused beyond, with that limit', async () => {
      const harness = await bench.harness();
      const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
      const workflow = defineWorkflow('deep', async (ctx, input: unknown) => await ctx.run('echo', () => input));
      const app = await harness.app({ workflows: [workflow] });
      expect(await harness.drive((await app.romancy.startWorkflow(workflow, nested(1000))).result())).toEqual(nested(1000));
      for (const levels of [1001, 100_000]) {
        const refusal = await harness.failure(app.romancy.startWorkflow(workflow, nested(levels), { instanceId: 'no' }));
        expect(refusal).toBeInstanceOf(PayloadNotSerializableError);
        expect((refusal as Error).message).toContain('1000');
        expect(await app.romancy.get('no')).toBeUndefined();
      }
    });

    it('that is too large is refused at the call, with the limit', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('limited', async (ctx, length: unknown) => {
        const result = await ctx.run('grow', () => 'x'.repeat(Number(length))).catch((error: unknown) => error);
        return result instanceof PayloadTooLargeError ? result.limit : 'x'.repeat(Number(length) * 2);
      });
      const app = await harness.app({ workflows: [workflow], maxPayloadBytes: 2000 });
      const refusal = await harness.failure(app.romancy.startWorkflow(workflow, 'x'.repeat(1999), { instanceId: 'no' }));
      expect(refusal).toBeInstanceOf(PayloadTooLargeError);
      expect(refusal).toMatchObject({ bytes: 2001, limit: 2000 });
      expect(await app.romancy.get('no')).toBeUndefined();
      expect(await harness.failure(app.romancy.sendEvent({ type: 't', source: 's', data: 'ä'.repeat(1000) }))).toBeInstanceOf(
        PayloadTooLargeError,
      );
      expect(await harness.drive((await app.romancy.startWorkflow(workflow, 1999)).result())).toBe(2000);
      const failed = (await harness.failure((await app.romancy.startWorkflow(workflow, 1500)).result())) as WorkflowFailedError;
      expect(failed.cause).toBeInstanceOf(PayloadTooLargeError);
    });

    it('of an error that is larger than the limit is told as one that says so', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('shouting', async (ctx, where: string) => {
        const shout = (): never => {
          throw Object.assign(new RangeError('loud '.repeat(2000)), { data: 'x'.repeat(10_000) });
        };
        if (where === 'activity') await ctx.run('shout', shout, { retry: { maxAttempts: 2, firstDelay: 1 } });
        else shout();
      });
      const app = await harness.app({ workflows: [workflow], maxPayloadBytes: 100 });
      for (const where of ['workflow', 'activity']) {
        const handle = await app.romancy.startWorkflow(workflow, where);
        const failed = (await harness.failure(handle.result({ timeout: '1m' }))) as WorkflowFailedError;
        expect(failed.code).toBe('WORKFLOW_FAILED');
        expect(String((failed.cause as Error).message)).toContain('loud');
      }
    });
  });

  describe('a recorded reading', () => {
    it('of the time, a number and a UUID is the same on replay', async () => {
      const harness = await bench.harness();
      const seen: string[] = [];
      const workflow = defineWorkflow('readings', async (ctx) => {
        const readings = [ctx.now(), ctx.random(), ctx.uuid(), ctx.random(), ctx.uuid()];
        seen.push(JSON.stringify(readings));
        await ctx.sleep(harness.span('1d', 30));
        await ctx.run('step', () => ctx.instanceId);
        readings.push(ctx.now(), ctx.random());
        await ctx.sleep(harness.span('1d', 30));
        return readings;
      });
      const app = await harness.app({ workflows: [workflow] });
      const { instanceId } = await app.romancy.startWorkflow(workflow);
      await harness.untilStatus(app, instanceId, 'waiting_for_timer');
      await harness.drive(app.romancy.stop());
      const next = await harness.app({ workflows: [workflow] });
      const readings = (await harness.drive(next.romancy.getHandle<unknown[]>(instanceId).result(), '1d')) as [
        number,
        number,
        string,
        number,
        string,
        number,
        number,
      ];
      expect(new Set(seen).size).toBe(1);
      expect(seen.length).toBeGreaterThanOrEqual(3);
      expect(JSON.stringify(readings.slice(0, 5))).toBe(seen[0]);
      expect(readings[1]).not.toBe(readings[3]);
      expect(readings[2]).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(readings[5] - readings[0]).toBeGreaterThanOrEqual(Number(harness.span(86_400_000, 30)));
      expect(Number.isInteger(readings[0])).toBe(true);
    });

    it('is read without a line of the log being written twice', async () => {
      const harness = await bench.harness();
      const workflow = defineWorkflow('talkative', async (ctx) => {
        ctx.logger.info('first line');
        const longer = ctx.sleep(harness.span('2d', 120));
        await ctx.run('step', ({ logger }) => logger.info('line of the activity'));
        ctx.logger.info('line after the step', { extra: 1 });
        await ctx.sleep(harness.span('1d', 40));
        ctx.logger.info('line after the first sleep');
        await longer;
        ctx.logger.info('line after the second sleep');
      });
      const app = await harness.app({ workflows: [workflow] });
      const handle = await app.romancy.startWorkflow(workflow);
      await harness.drive(handle.result(), '12h');
      const lines = app.logger.lines.filter(({ message }) => message.includes('line'));
      expect(lines.map(({ message }) => message)).toEqual([
        'first line',
        'line of the activity',
        'line after the step',
        'line after the first sleep',
        'line after the second sleep',
      ]);
      expect(lines[2]?.fields).toEqual({ instanceId: handle.instanceId, workflowName: 'talkative', extra: 1 });
      expect(lines[1]?.fields).toMatchObject({ activityId: 'step:1', attempt: 1 });
    });
  });
}

class Declined extends Error {
  readonly reason = 'card';
}

type Kinds = ReturnType<typeof kinds>;

function kinds() {
  return {
    date: new Date(1_700_000_000_123),
    noDate: new Date(Number.NaN),
    big: 2n ** 70n,
    map: new Map<unknown, unknown>([
      ['a', 1],
      [{ key: 1 }, new Set([1, 'two'])],
    ]),
    set: new Set([1n, undefined]),
    bytes: new Uint8Array([0, 1, 255]),
    nan: Number.NaN,
    infinite: -Infinity,
    minusZero: -0,
    nothing: undefined,
    none: null,
    list: [undefined, null, [[]]],
    text: 'a\u0000b 😀',
    error: new Declined('declined', { cause: new RangeError('empty') }),
    nested: { $date: 'not a date', '@': 1 },
  };
}
