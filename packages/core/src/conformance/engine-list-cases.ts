// Cases: lists of instances, by pages and by what they are filtered by.
import { describe, expect, it } from 'vitest';
import { defineWorkflow, InvalidArgumentError, type ListOptions, type Romancy } from '../index.js';
import type { EngineBench } from './engine-harness.js';

export function listCases(bench: EngineBench): void {
  describe('a list', () => {
    it('of 120 comes in pages of 50, 50 and 20, newest first, without overlap, while others are added', async () => {
      const harness = await bench.harness();
      const { romancy } = await harness.app({ workflows: [waiting] });
      const ids = Array.from({ length: 120 }, (_, index) => `i-${String(index).padStart(3, '0')}`);
      // All at once: many of them get the same start time.
      await harness.drive(Promise.all(ids.map((instanceId) => romancy.startWorkflow(waiting, {}, { instanceId }))));
      const pages: string[][] = [];
      const times: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await romancy.list(cursor === undefined ? {} : { cursor });
        pages.push(page.instances.map(({ instanceId }) => instanceId));
        times.push(...page.instances.map(({ startedAt }) => startedAt.getTime()));
        cursor = page.cursor;
        await harness.tick();
        await harness.drive(romancy.startWorkflow(waiting, {}, { instanceId: `later-${pages.length}` }));
      } while (cursor !== undefined);
      expect(pages.map(({ length }) => length)).toEqual([50, 50, 20]);
      expect(pages.flat().sort()).toEqual(ids);
      expect(times).toEqual([...times].sort((a, b) => b - a));
      expect((await romancy.list({ limit: 1 })).instances[0]?.instanceId).toBe('later-3');
    });

    it('keeps to all filters at once', async () => {
      const harness = await bench.harness();
      const { romancy } = await harness.app({ workflows: [waiting, Ordering, other] });
      const start = async (workflow: typeof waiting, instanceId: string, input: object): Promise<void> => {
        await harness.drive(romancy.startWorkflow(workflow, input, { instanceId }));
      };
      await start(Ordering, 'ORDER-1', { customer: { id: 7, vip: true }, items: [{ sku: 'boots' }], 'odd name': null });
      await harness.until(async () => (await romancy.get('ORDER-1'))?.status === 'completed');
      await harness.tick();
      await start(Ordering, 'order-2', { customer: { id: '7', vip: true }, items: [{ sku: 'hat' }, { sku: 'boots' }] });
      await start(other, 'x-order-3', { customer: { id: 7, vip: false }, items: [] });
      await start(waiting, 'w-4', { customer: { id: 7, vip: true }, items: [] });
      await harness.until(async () => (await romancy.list({ status: ['pending', 'running'] })).instances.length === 0);
      const second = (await romancy.get('order-2'))!.startedAt;
      const found = async (options: ListOptions): Promise<string[]> =>
        (await romancy.list(options)).instances.map(({ instanceId }) => instanceId).sort();
      expect(await found({ instanceId: 'order' })).toEqual(['ORDER-1', 'order-2', 'x-order-3']);
      expect(await found({ instanceId: 'RDER-' })).toEqual(['ORDER-1', 'order-2', 'x-order-3']);
      expect(await found({ instanceId: '%' })).toEqual([]);
      expect(await found({ instanceId: '_' })).toEqual([]);
      expect(await found({ workflowName: 'ordering' })).toEqual(['ORDER-1', 'order-2']);
      expect(await found({ status: 'waiting_for_event' })).toEqual(['w-4']);
      expect(await found({ status: ['waiting_for_event', 'completed'] })).toEqual(['ORDER-1', 'order-2', 'w-4', 'x-order-3']);
      expect(await found({ status: [] })).toEqual([]);
      expect(await found({ input: { 'customer.id': 7 } })).toEqual(['ORDER-1', 'w-4', 'x-order-3']);
      expect(await found({ input: { 'customer.id': '7' } })).toEqual(['order-2']);
      expect(await found({ input: { '$.customer.vip': true, 'customer.id': 7 } })).toEqual(['ORDER-1', 'w-4']);
      expect(await found({ input: { 'items[0].sku': 'boots' } })).toEqual(['ORDER-1']);
      expect(await found({ input: { '["odd name"]': null } })).toEqual(['ORDER-1']);
      expect(await found({ startedBefore: second })).toEqual(['ORDER-1']);
      expect(await found({ startedAfter: second, instanceId: 'order' })).toEqual(['order-2', 'x-order-3']);
      const all = {
        workflowName: 'ORDERING',
        status: 'completed',
        instanceId: 'order',
        input: { 'customer.vip': true },
      } as const;
      expect(await found({ ...all, startedAfter: second })).toEqual(['order-2']);
      expect(await found({ ...all, startedAfter: second, input: { 'customer.vip': false } })).toEqual([]);
    });

    it('refuses what is malformed, naming it', async () => {
      const harness = await bench.harness();
      const { romancy } = await harness.app({ workflows: [waiting] });
      await refused(romancy, { limit: 0 }, 'limit');
      await refused(romancy, { limit: 1001 }, 'limit');
      await refused(romancy, { limit: 1.5 }, 'limit');
      await refused(romancy, { status: 'sleeping' as never }, 'status');
      await refused(romancy, { startedAfter: new Date(Number.NaN) }, 'startedAfter');
      for (const cursor of ['', 'nonsense', 'W10', Buffer.from('["x","y"]').toString('base64url'), 'ä', 7 as never]) {
        await refused(romancy, { cursor }, 'cursor');
      }
      for (const path of ['a..b', 'a.', '.a', 'a[', 'a[x]', 'a[-1]', '["a', '["\\q"]', 'a b', 'a[0', "['a']", '["\u0007\\"]']) {
        await refused(romancy, { input: { [path]: 1 } }, 'input');
      }
      await refused(romancy, { input: { a: undefined as never } }, 'input["a"]');
      await refused(romancy, { input: { a: Number.NaN } }, 'input["a"]');
      await refused(romancy, { input: { a: {} as never } }, 'input["a"]');
      for (const text of [7, null, 'a\u0000b', '\ud800']) {
        await refused(romancy, { workflowName: text as never }, 'workflowName');
        await refused(romancy, { instanceId: text as never }, 'instanceId');
      }
      for (const path of ['["\\u0000"]', 'a[2147483648]', 'a[1e400]']) await refused(romancy, { input: { [path]: 1 } }, 'input');
      for (const foreign of [
        [1e300, 'a'],
        [-1, 'a'],
        [1, ''],
        [1, 'a\u0000'],
      ]) {
        await refused(romancy, { cursor: Buffer.from(JSON.stringify(foreign)).toString('base64url') }, 'cursor');
      }
    });

    it('takes what is at the ends of what there can be, on every database alike', async () => {
      const harness = await bench.harness();
      const { romancy } = await harness.app({ workflows: [other] });
      await harness.drive((await romancy.startWorkflow(other, { a: [1], deep: { er: 'x' } }, { instanceId: 'i' })).result());
      const found = async (options: ListOptions): Promise<number> => (await romancy.list(options)).instances.length;
      const [first, last] = [new Date(-8.64e15), new Date(8.64e15)];
      expect(await found({ startedAfter: first, startedBefore: last })).toBe(1);
      expect(await found({ startedAfter: last })).toBe(0);
      expect(await found({ startedBefore: first })).toBe(0);
      expect(await found({ cursor: Buffer.from(JSON.stringify([8.64e15, 'x'.repeat(255)])).toString('base64url') })).toBe(1);
      expect(await found({ input: { 'a[2147483647]': 1 } })).toBe(0);
      expect(await found({ input: { 'a[0]': 1, $: null } })).toBe(0);
      expect(await found({ input: { a: 1e308 } })).toBe(0);
      expect(await found({ input: { 'a[0]': 1, 'deep.er': 'x' } })).toBe(1);
      expect(await found({ input: { 'deep.er': 'a\u0000b' } })).toBe(0);
      expect(await found({ input: { [Array(500).fill('a').join('.')]: 1 } })).toBe(0);
      expect(await found({ input: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`a${index}`, index])) })).toBe(0);
      expect(await found({ instanceId: 'y'.repeat(5000) })).toBe(0);
      expect(await found({ workflowName: '', instanceId: '' })).toBe(1);
    });
  });
}

type AnyInput = object;

const waiting = defineWorkflow('waiting', async (ctx, _input: AnyInput) => {
  await ctx.waitEvent('never');
});
const Ordering = defineWorkflow('Ordering', async (_ctx, _input: AnyInput) => undefined as void);
const other = defineWorkflow('other', async (_ctx, _input: AnyInput) => undefined as void);

async function refused(romancy: Romancy, options: ListOptions, argument: string): Promise<void> {
  const outcome = await romancy.list(options).then(
    () => 'was taken',
    (error: unknown) => error,
  );
  expect(outcome, `${JSON.stringify(options)}`).toBeInstanceOf(InvalidArgumentError);
  expect(outcome).toMatchObject({ argument });
}
