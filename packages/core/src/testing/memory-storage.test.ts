// What the memory storage promises beyond the storage port: no aliasing, real asynchrony, a transactional map.
import { beforeEach, describe, expect, it } from 'vitest';
import { NotRunningError, TransactionError } from '../domain/errors.js';
import type { Storage } from '../ports/storage.js';
import { transactionSlot, type ActivityTransaction, type TransactionSlot } from '../ports/activity-transaction.js';
import { ManualClock } from './manual-clock.js';
import { createMemoryDatabase, type MemoryDatabase } from './memory-database.js';
import { createMemoryStorage } from './memory-storage.js';
import { memoryTransaction } from './memory-transactions.js';
import { recordingLogger } from './recording-logger.js';

let clock: ManualClock;
let database: MemoryDatabase;
let storage: Storage;

beforeEach(async () => {
  clock = new ManualClock({ now: 1_000_000 });
  database = createMemoryDatabase();
  storage = await opened(database);
  await storage.leases.register({ workerId: 'w', serviceName: 's', leaseMs: 30_000, workflowNames: ['order'], starts: [] });
  await storage.runs.commit({
    workerId: 'w',
    starts: [{ instanceId: 'one', workflowName: 'order', input: '1', startToken: 't', owned: true }],
    entries: [entry(1)],
    effects: [],
    subscriptions: [],
    takenMail: [],
    settlements: [],
  });
});

describe('memory storage', () => {
  it('does nothing before its caller has gone on', async () => {
    const delivered = storage.messages.deliver(event('one'));
    expect(database.instances.get('one')?.mail).toEqual([]);
    await delivered;
    expect(database.instances.get('one')?.mail).toHaveLength(1);
  });

  it('answers with copies, and keeps copies of what it was given', async () => {
    const given = { ...entry(2) };
    await storage.transactions
      .begin({ signal: new AbortController().signal })
      .then((transaction) => transaction.commit({ workerId: 'w', entry: given }));
    Object.assign(given, { data: 'changed' });
    const first = await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 10 });
    for (const read of first) Object.assign(read, { data: 'changed' });
    Object.assign((await storage.instances.get('one'))!, { status: 'failed' });
    expect((await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 10 })).map(({ data }) => data)).toEqual([
      '1',
      '2',
    ]);
    expect((await storage.instances.get('one'))?.status).toBe('running');
  });

  it('takes its times from the clock, lease ends included', async () => {
    expect((await storage.instances.get('one'))?.createdAt).toBe(1_000_000);
    await storage.leases.register({ workerId: 'other', serviceName: 's', leaseMs: 60_000, workflowNames: [], starts: [] });
    const look = () => storage.leases.upkeep({ workerId: 'other', renewal: null, suspects: [] });
    await clock.advance(29_999);
    expect((await look()).reaped).toEqual([]);
    await clock.advance(1);
    const { reaped, now } = await look();
    expect({ reaped, now }).toEqual({ reaped: [{ workerId: 'w', released: 1 }], now: 1_030_000 });
  });

  it('takes nothing before open and after close', async () => {
    const other = createMemoryStorage({ database });
    await expect(other.instances.get('one')).rejects.toBeInstanceOf(NotRunningError);
    await storage.close();
    await expect(storage.instances.get('one')).rejects.toBeInstanceOf(NotRunningError);
    expect((await (await opened(database)).instances.get('one'))?.instanceId).toBe('one');
  });

  it('has a database of its own when none is given', async () => {
    const other = createMemoryStorage();
    await other.open({ clock, logger: recordingLogger() });
    expect(await other.instances.get('one')).toBeUndefined();
  });

  it('finds no member of an input that JSON does not have', async () => {
    const where = (path: readonly (string | number)[]) =>
      storage.instances.list({ ...everything, input: [{ path, equals: null }] });
    expect(await where(['constructor'])).toEqual([]);
    expect(await where(['toString', 'length'])).toEqual([]);
  });
});

describe('memoryTransaction', () => {
  it('shows its own changes, copies them, and lets others see them when the activity has ended', async () => {
    const { ctx, transaction } = await activity();
    const map = await memoryTransaction(ctx);
    const value = { paid: [1] };
    map.set('order', value);
    map.set('gone', 1);
    map.delete('gone');
    value.paid.push(2);
    expect(map.get('order')).toEqual({ paid: [1] });
    expect(map.get('gone')).toBeUndefined();
    expect(database.values.size).toBe(0);
    await transaction.commit({ workerId: 'w', entry: entry(2) });
    expect([...database.values]).toEqual([['order', { paid: [1] }]]);
  });

  it('reads what others have committed, and deletes it at the commit', async () => {
    database.values.set('stock', { left: 3 });
    const { ctx, transaction } = await activity();
    const map = await memoryTransaction(ctx);
    (map.get('stock') as { left: number }).left = 0;
    expect(map.get('stock')).toEqual({ left: 3 });
    map.delete('stock');
    expect(map.get('stock')).toBeUndefined();
    expect(database.values.has('stock')).toBe(true);
    await transaction.commit({ workerId: 'w', entry: entry(2) });
    expect(database.values.has('stock')).toBe(false);
  });

  it('refuses an entry that is there already, and everything with it', async () => {
    const { ctx, transaction } = await activity();
    (await memoryTransaction(ctx)).set('twice', true);
    await expect(transaction.commit({ workerId: 'w', entry: entry(1) })).rejects.toBeInstanceOf(TransactionError);
    expect(database.values.size).toBe(0);
    expect(database.instances.get('one')?.history.map(({ seq }) => seq)).toEqual([1]);
  });

  it('is refused where there is no activity, or another storage', async () => {
    await expect(memoryTransaction({})).rejects.toBeInstanceOf(TransactionError);
    const { ctx } = await activity('sqlite');
    await expect(memoryTransaction(ctx)).rejects.toBeInstanceOf(TransactionError);
  });
});

const everything = {
  status: undefined,
  workflowName: undefined,
  instanceId: undefined,
  startedAfter: undefined,
  startedBefore: undefined,
  limit: 10,
  after: undefined,
};

async function opened(on: MemoryDatabase): Promise<Storage> {
  const created = createMemoryStorage({ database: on });
  await created.open({ clock, logger: recordingLogger() });
  return created;
}

async function activity(storageKind = 'memory'): Promise<{ readonly ctx: object; readonly transaction: ActivityTransaction }> {
  const transaction = await storage.transactions.begin({ signal: new AbortController().signal });
  const slot: TransactionSlot = { storageKind, open: () => Promise.resolve(transaction) };
  return { ctx: { [transactionSlot]: slot }, transaction };
}

function entry(seq: number) {
  return { instanceId: 'one', seq, kind: 'value', callId: `now:${seq}`, position: seq, data: `${seq}`, dueAt: null } as const;
}

function event(targetInstanceId: string) {
  return {
    messageId: 'e',
    source: 's',
    topic: 'c',
    data: '1',
    to: { type: 'instance', instanceId: targetInstanceId },
    starts: null,
  } as const;
}
