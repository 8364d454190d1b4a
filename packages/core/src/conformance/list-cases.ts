// Cases: listing in pages that neither overlap nor skip, by filters that must all hold.
import { describe, expect, it } from 'vitest';
import type { InstanceRecord, ListRequest, Storage } from '../ports/index.js';
import type { Bench, StorageHarness } from './storage-harness.js';
import { complete, fail, newInstance, park } from './test-worker.js';

const everything: ListRequest = {
  status: undefined,
  workflowName: undefined,
  instanceId: undefined,
  startedAfter: undefined,
  startedBefore: undefined,
  input: [],
  limit: 1000,
  after: undefined,
};

export function listCases(bench: Bench): void {
  describe('list and cursors', () => {
    it('pages 120 instances of one start time by 50, newest first, while others are added', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const ids = Array.from({ length: 120 }, (_, index) => `page-${String((index * 37) % 120).padStart(3, '0')}`);
      await worker.start(ids);
      const storage = await harness.storage();
      const pages: InstanceRecord[][] = [];
      let after: ListRequest['after'];
      for (let page = 0; page < 5; page++) {
        const rows = await storage.instances.list({ ...everything, limit: 50, after });
        if (rows.length === 0) break;
        pages.push([...rows]);
        const { createdAt, instanceId } = rows.at(-1)!;
        after = { createdAt, instanceId };
        await harness.pass(2);
        await worker.start([`added-${page}-a`, `added-${page}-z`, `zzz-${page}`]);
        await worker.settle(complete(rows[0]!.instanceId));
      }
      expect(pages.map((page) => page.length)).toEqual([50, 50, 20]);
      expect(pages.flat().map((row) => row.instanceId)).toEqual([...ids].sort().reverse());
      expect(new Set(pages.flat().map((row) => row.createdAt)).size).toBe(1);
    });

    it('pages instances of many start times one by one', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      // Every other pair shares its time, so that a page ends between equals as often as between others.
      for (let n = 0; n < 12; n++) {
        await worker.start(n % 2 === 0 ? [`n-${n}-a`, `n-${n}-b`] : [`n-${n}`]);
        if (n % 3 === 0) await harness.pass(2);
      }
      const storage = await harness.storage();
      const all = await storage.instances.list(everything);
      expect(all).toHaveLength(18);
      expect([...all].sort(newestFirst)).toEqual(all);
      for (const limit of [1, 2, 5]) expect(await paged(storage, limit)).toEqual(all);
    });

    it('pages several statuses in one order, also where all began at one time', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const names = Array.from({ length: 20 }, (_, index) => `n-${String(index).padStart(2, '0')}`);
      await worker.start(names);
      await worker.settle(
        ...names.filter((_, index) => index % 3 === 1).map((id) => park(id)),
        ...names.filter((_, index) => index % 3 === 2).map((id) => complete(id)),
      );
      const storage = await harness.storage();
      const status = ['completed', 'waiting_for_event', 'running'] as const;
      for (const limit of [1, 3, 7]) {
        expect((await paged(storage, limit, { status })).map((row) => row.instanceId)).toEqual([...names].reverse());
      }
    });

    it('shows each row as get does', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['running', 'parked', 'completed', 'failed', 'cancelling']);
      await worker.settle(park('parked', (await worker.now()) + 1_000_000), complete('completed'), fail('failed'));
      await harness.cancel('cancelling', 'x');
      const storage = await harness.storage();
      const rows = await storage.instances.list(everything);
      expect(rows).toHaveLength(5);
      for (const row of rows) expect(row).toEqual(await harness.get(row.instanceId));
    });

    it('knows nothing of an unknown id', async () => {
      const storage = await (await bench.harness()).storage();
      expect(await storage.instances.get('nobody')).toBeUndefined();
      expect(await storage.instances.list(everything)).toEqual([]);
    });

    it('filters by status', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start(['running', 'parked', 'completed', 'failed']);
      await worker.start('pending', { owned: false });
      await worker.settle(park('parked'), complete('completed'), fail('failed'));
      expect(await ids(harness, { status: ['running'] })).toEqual(['running']);
      expect(await ids(harness, { status: ['pending', 'waiting_for_event'] })).toEqual(['parked', 'pending']);
      expect(await ids(harness, { status: ['completed', 'failed', 'cancelled'] })).toEqual(['completed', 'failed']);
      expect(await ids(harness, { status: ['stalled'] })).toEqual([]);
      expect(await ids(harness, { status: [] })).toEqual([]);
    });

    it('filters by a part of the name and of the id in any case, without pattern characters', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const rows = [
        ['Order_Processing', 'A-100%'],
        ['order-refund', 'a-100x'],
        ['preORDER', 'b_200'],
        ['invoice', 'b-200'],
        ['back\\slash', "it's"],
        ['[a-z]*.?', 'c"d'],
      ] as const;
      for (const [workflowName, instanceId] of rows) await worker.start(instanceId, { workflowName });
      expect(await ids(harness, { workflowName: 'order' })).toEqual(['A-100%', 'a-100x', 'b_200']);
      expect(await ids(harness, { workflowName: 'ORDER' })).toEqual(['A-100%', 'a-100x', 'b_200']);
      expect(await ids(harness, { workflowName: 'order_' })).toEqual(['A-100%']);
      expect(await ids(harness, { workflowName: '\\' })).toEqual(["it's"]);
      expect(await ids(harness, { workflowName: '[a-z]*.' })).toEqual(['c"d']);
      expect(await ids(harness, { workflowName: '.*' })).toEqual([]);
      expect(await ids(harness, { instanceId: 'a-100' })).toEqual(['A-100%', 'a-100x']);
      expect(await ids(harness, { instanceId: '%' })).toEqual(['A-100%']);
      expect(await ids(harness, { instanceId: 'b_' })).toEqual(['b_200']);
      expect(await ids(harness, { instanceId: "'" })).toEqual(["it's"]);
      expect(await ids(harness, { workflowName: '' })).toHaveLength(rows.length);
    });

    it('filters by start time, from one inclusive to another exclusive', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const createdAt: number[] = [];
      for (const id of ['t0', 't1', 't2']) {
        await worker.start(id);
        createdAt.push((await harness.get(id)).createdAt);
        await harness.pass(5);
      }
      const [t0, t1, t2] = createdAt as [number, number, number];
      expect(await ids(harness, { startedAfter: t1 })).toEqual(['t1', 't2']);
      expect(await ids(harness, { startedBefore: t1 })).toEqual(['t0']);
      expect(await ids(harness, { startedAfter: t0, startedBefore: t2 })).toEqual(['t0', 't1']);
      expect(await ids(harness, { startedAfter: t2 + 1 })).toEqual([]);
      expect(await ids(harness, { startedAfter: t0, startedBefore: t0 })).toEqual([]);
    });

    it('filters by what the input holds, by path and type', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const inputs: Readonly<Record<string, string>> = {
        number: '{"v":1}',
        float: '{"v":1.5}',
        text: '{"v":"1"}',
        yes: '{"v":true}',
        yesText: '{"v":"true"}',
        no: '{"v":false}',
        zero: '{"v":0}',
        none: '{"v":null}',
        noneText: '{"v":"null"}',
        object: '{"v":{"deep":[{"x":"found"},{"x":"other"}]}}',
        list: '[1,"two",null]',
        missing: '{"w":1}',
        rootText: '"root"',
        rootNumber: '7',
        rootNull: 'null',
        odd: '{"a.b":"dot","c\\"d":"quote","":"empty","é ü":"unicode","$":"dollar","[0]":"bracket","it\'s":"tick"}',
      };
      await worker.commit({ starts: Object.entries(inputs).map(([id, input]) => newInstance(id, { input })) });
      const where = (path: readonly (string | number)[], equals: string | number | boolean | null) =>
        ids(harness, { input: [{ path, equals }] });
      expect(await where(['v'], 1)).toEqual(['number']);
      expect(await where(['v'], 1.5)).toEqual(['float']);
      expect(await where(['v'], '1')).toEqual(['text']);
      expect(await where(['v'], true)).toEqual(['yes']);
      expect(await where(['v'], 'true')).toEqual(['yesText']);
      expect(await where(['v'], false)).toEqual(['no']);
      expect(await where(['v'], 0)).toEqual(['zero']);
      expect(await where(['v'], null)).toEqual(['none']);
      expect(await where(['v'], 'null')).toEqual(['noneText']);
      expect(await where(['v', 'deep', 0, 'x'], 'found')).toEqual(['object']);
      expect(await where(['v', 'deep', 1, 'x'], 'found')).toEqual([]);
      expect(await where(['v', 'deep', 2, 'x'], 'found')).toEqual([]);
      expect(await where([0], 1)).toEqual(['list']);
      expect(await where([1], 'two')).toEqual(['list']);
      expect(await where([2], null)).toEqual(['list']);
      expect(await where([3], null)).toEqual([]);
      expect(await where([], 'root')).toEqual(['rootText']);
      expect(await where([], 7)).toEqual(['rootNumber']);
      expect(await where([], null)).toEqual(['rootNull']);
      expect(await where(['a.b'], 'dot')).toEqual(['odd']);
      expect(await where(['a', 'b'], 'dot')).toEqual([]);
      expect(await where(['c"d'], 'quote')).toEqual(['odd']);
      expect(await where([''], 'empty')).toEqual(['odd']);
      expect(await where(['é ü'], 'unicode')).toEqual(['odd']);
      expect(await where(['$'], 'dollar')).toEqual(['odd']);
      expect(await where(['[0]'], 'bracket')).toEqual(['odd']);
      expect(await where(["it's"], 'tick')).toEqual(['odd']);
      expect(await where(['v', 'deep'], '[{"x":"found"},{"x":"other"}]')).toEqual([]);
    });

    it('filters by several things of the input, all of which must hold', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      await worker.start('both', { input: '{"a":1,"b":{"c":"x"}}' });
      await worker.start('one', { input: '{"a":1,"b":{"c":"y"}}' });
      const c = { path: ['b', 'c'], equals: 'x' };
      expect(await ids(harness, { input: [{ path: ['a'], equals: 1 }] })).toEqual(['both', 'one']);
      expect(await ids(harness, { input: [{ path: ['a'], equals: 1 }, c] })).toEqual(['both']);
      expect(await ids(harness, { input: [{ path: ['a'], equals: 2 }, c] })).toEqual([]);
    });

    it('combines all filters with the cursor', async () => {
      const harness = await bench.harness();
      const worker = await harness.worker();
      const matching = Array.from({ length: 9 }, (_, index) => `order-${index}`);
      await worker.start(matching, { input: '{"vip":true}' });
      await worker.start('order-poor', { input: '{"vip":false}' });
      await worker.start('order-done', { input: '{"vip":true}' });
      await worker.start('other', { input: '{"vip":true}' });
      await worker.start('order-foreign', { input: '{"vip":true}', workflowName: 'refund' });
      await worker.settle(complete('order-done'));
      const filters: Partial<ListRequest> = {
        status: ['running'],
        workflowName: 'ORD',
        instanceId: 'Order-',
        startedAfter: 0,
        startedBefore: (await worker.now()) + 1_000_000,
        input: [{ path: ['vip'], equals: true }],
      };
      const found = await paged(await harness.storage(), 4, filters);
      expect(found.map((row) => row.instanceId)).toEqual([...matching].reverse());
    });
  });
}

/** All pages of that many rows, one after the other. */
async function paged(storage: Storage, limit: number, filters: Partial<ListRequest> = {}): Promise<readonly InstanceRecord[]> {
  const rows: InstanceRecord[] = [];
  for (;;) {
    const last = rows.at(-1);
    const after = last === undefined ? undefined : { createdAt: last.createdAt, instanceId: last.instanceId };
    const page = await storage.instances.list({ ...everything, ...filters, limit, after });
    expect(page.length).toBeLessThanOrEqual(limit);
    // A cursor that does not move on must not keep the suite going for ever.
    expect(rows.length).toBeLessThan(1000);
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}

async function ids(harness: StorageHarness, filters: Partial<ListRequest>): Promise<readonly string[]> {
  const rows = await (await harness.storage()).instances.list({ ...everything, ...filters });
  return rows.map((row) => row.instanceId).sort();
}

function newestFirst(a: InstanceRecord, b: InstanceRecord): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  return a.instanceId < b.instanceId ? 1 : -1;
}
