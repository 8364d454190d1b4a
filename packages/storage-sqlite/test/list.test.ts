// Long scans for a list leave the event loop to others, and put several orders together rightly.
import type { InstanceStatus, ListRequest, Storage } from '@romancy/core/ports';
import { temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fill } from './hot-statements.js';
import { openStorage } from './local-storage.js';

const all: ListRequest = {
  ...{ status: undefined, workflowName: undefined, instanceId: undefined, startedAfter: undefined, startedBefore: undefined },
  ...{ input: [], limit: 50, after: undefined },
};

async function openFilled(size: { readonly finished: number; readonly waiting: number }): Promise<Storage> {
  const filename = await temporaryFile();
  const storage = await openStorage({ filename });
  const database = new Database(filename);
  onTestFinished(() => void database.close());
  fill(database, size);
  return storage;
}

async function pages(storage: Storage, request: Partial<ListRequest>): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: ListRequest['after']; ;) {
    const page = await storage.instances.list({ ...all, ...request, after });
    ids.push(...page.map(({ instanceId }) => instanceId));
    const last = page.at(-1);
    if (last === undefined) return ids;
    after = { createdAt: last.createdAt, instanceId: last.instanceId };
  }
}

describe('a list', () => {
  it('of what is hard to find lets others work in between', async () => {
    const storage = await openFilled({ finished: 40_000, waiting: 1 });
    // By what the processor did in a turn: how long others had it instead says nothing of the list.
    let [longestMs, turns, last] = [0, 0, process.cpuUsage()];
    const ticking = setInterval(() => {
      const { user, system } = process.cpuUsage(last);
      longestMs = Math.max(longestMs, (user + system) / 1000);
      last = process.cpuUsage();
      turns++;
    }, 1);
    const found = await storage.instances.list({ ...all, input: [{ path: ['number'], equals: 7 }] });
    clearInterval(ticking);
    expect(found.map(({ instanceId }) => instanceId)).toEqual(['instance-7']);
    expect(turns).toBeGreaterThan(5);
    expect(longestMs).toBeLessThan(250);
  });

  it('of several statuses is in one order, without gap and overlap', async () => {
    const storage = await openFilled({ finished: 30, waiting: 400 });
    const statuses: readonly InstanceStatus[] = ['waiting_for_timer', 'waiting_for_event', 'waiting_for_retry'];
    const everything = await pages(storage, {});
    expect(everything).toEqual(Array.from({ length: 430 }, (_, index) => `instance-${430 - index}`));
    expect(await pages(storage, { status: statuses, limit: 7 })).toEqual(everything.slice(0, 400));
    expect(await pages(storage, { status: [...statuses, 'completed'], limit: 7 })).toEqual(everything);
    expect(await pages(storage, { status: ['waiting_for_timer', 'waiting_for_timer'], limit: 7 })).toHaveLength(133);
    expect(await pages(storage, { status: ['running', 'failed'] })).toEqual([]);
    expect(await pages(storage, { status: [] })).toEqual([]);
  });

  it('compares inputs however deep they are', async () => {
    const storage = await openFilled({ finished: 0, waiting: 0 });
    const deep = `${'['.repeat(3000)}${']'.repeat(3000)}`;
    await storage.leases.register({ workerId: 'me', serviceName: 'x', leaseMs: 1000, workflowNames: [], starts: [] });
    const input = `{"deep":${deep},"a\\"b":{"$.x[0]":true}}`;
    const begin = { instanceId: 'one', workflowName: 'order', input, startToken: 'x', owned: true };
    await storage.runs.commit({
      workerId: 'me',
      starts: [begin],
      entries: [],
      effects: [],
      subscriptions: [],
      takenMail: [],
      settlements: [],
    });
    expect(await pages(storage, { input: [{ path: ['a"b', '$.x[0]'], equals: true }] })).toEqual(['one']);
    expect(await pages(storage, { input: [{ path: ['a"b', '$.x[0]'], equals: 1 }] })).toEqual([]);
    expect(await pages(storage, { input: [{ path: ['a"b', 'constructor', 'name'], equals: 'Object' }] })).toEqual([]);
  });
});
