// The cheaper commit of what is most frequent does what the other one does: nothing is left of what ended, and a repetition changes nothing.
import type { Effect, ProgressBatch, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';
import { batch, claimRequest, complete, newEntry, newInstance, park } from './worker-calls.js';

let watched: WatchedPool;
let storage: Storage;
let worker: string;
let outside: pg.Client;
let address: string;

beforeEach(async () => {
  const { url } = await createDatabase();
  address = url;
  outside = new pg.Client({ connectionString: url });
  await outside.connect();
  watched = watchedPool(url);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
  await storage.runs.commit(batch(worker, { starts: [newInstance('one'), newInstance('two')] }));
});

afterEach(() => outside.end());

const commit = (parts: Partial<ProgressBatch>) => storage.runs.commit(batch(worker, parts));

/** Which functions were called since. */
function calledFunctions(): string[] {
  return watched.statements.splice(0).flatMap((text) => /commit_(?:runs|progress)_1/.exec(text) ?? []);
}

async function leftovers(): Promise<string[]> {
  const tables = ['mailbox', 'subscriptions', 'group_members'];
  const { rows } = await outside.query<{ name: string }>(
    tables.map((name) => `SELECT DISTINCT '${name}' AS name FROM romancy.${name} WHERE instance_id = 'one'`).join(' UNION ALL '),
  );
  return rows.map(({ name }) => name);
}

const message = { messageId: 'm', source: '/test', topic: 'event:paid', data: '1', starts: null } as const;
const effect = (what: Partial<Effect>): Effect => ({ ...what, instanceId: 'one', seq: 1 }) as Effect;

describe('nothing is left of an instance that ends', () => {
  it.for<readonly [string, string, () => Promise<unknown>]>([
    [
      'that subscribed and went on',
      'subscriptions',
      () => commit({ entries: [newEntry('one', 1)], subscriptions: [{ instanceId: 'one', topic: 'event:paid', seq: 1 }] }),
    ],
    [
      'that joined a group',
      'group_members',
      () => commit({ entries: [newEntry('one', 1)], effects: [effect({ type: 'join', group: 'all' })] }),
    ],
    [
      'that was sent something',
      'mailbox',
      () => storage.messages.deliver({ ...message, to: { type: 'instance', instanceId: 'one' } }),
    ],
    [
      'to which another one sent something',
      'mailbox',
      () =>
        commit({
          entries: [newEntry('two', 1)],
          effects: [
            {
              ...{ type: 'message', instanceId: 'two', seq: 1 },
              message: { messageId: 'm', topic: 'direct', data: '1', to: { type: 'instance', instanceId: 'one' } },
            },
          ],
        }),
    ],
  ])('%s', async ([, table, links]) => {
    await links();
    expect(await leftovers()).toEqual([table]);
    calledFunctions();
    expect(await commit({ entries: [newEntry('one', 2)], settlements: [complete('one')] })).toMatchObject({ refused: [] });
    expect(calledFunctions()).toEqual(['commit_runs_1']);
    expect(await leftovers()).toEqual([]);
  });

  it('that was put away and claimed again in between', async () => {
    const subscriptions = [{ instanceId: 'one', topic: 'event:paid', seq: 1 }];
    await commit({ entries: [newEntry('one', 1)], subscriptions, settlements: [park('one')] });
    await storage.messages.deliver({ ...message, to: { type: 'subscribers' } });
    await storage.runs.claim(claimRequest(worker));
    await commit({ settlements: [complete('one', 2)] });
    expect(await leftovers()).toEqual([]);
  });

  it('that has a message of a queue, which goes back there', async () => {
    await storage.messages.fixMode({ topic: 'channel:jobs', mode: 'competing' });
    await commit({
      entries: [newEntry('one', 1)],
      subscriptions: [{ instanceId: 'one', topic: 'channel:jobs', mode: 'competing', seq: 1 }],
      effects: [effect({ type: 'seek', topic: 'channel:jobs' })],
    });
    await storage.messages.deliver({ ...message, topic: 'channel:jobs', to: { type: 'subscribers' } });
    expect(await leftovers()).toEqual(expect.arrayContaining(['mailbox', 'subscriptions']));
    await commit({ settlements: [complete('one'), complete('two')] });
    expect(await leftovers()).toEqual([]);
    const { rows } = await outside.query('SELECT message_id FROM romancy.queued_messages');
    expect(rows).toEqual([{ message_id: 'm' }]);
  });
});

describe('a batch that was committed before', () => {
  const progress = (): Partial<ProgressBatch> => ({
    starts: [newInstance('new')],
    entries: [newEntry('new', 1), newEntry('one', 1)],
    settlements: [complete('new'), park('one')],
  });

  it('changes nothing', async () => {
    await commit(progress());
    const before = await outside.query('SELECT instance_id, status, version FROM romancy.instances ORDER BY 1');
    expect(await commit(progress())).toMatchObject({ conflicts: [], refused: [] });
    const after = await outside.query('SELECT instance_id, status, version FROM romancy.instances ORDER BY 1');
    expect(after.rows).toEqual(before.rows);
  });

  it('changes nothing either where ids were made for their starts, which are not looked for', async () => {
    const starts = ['made', 'new'].map((id) => newInstance(id, { startToken: id }));
    await commit({ starts });
    calledFunctions();
    expect(await commit({ starts, entries: [newEntry('made', 1)] })).toMatchObject({ conflicts: [], refused: [] });
    expect(calledFunctions()).toEqual(['commit_runs_1', 'commit_progress_1']);
    const { rows } = await outside.query(
      `SELECT instance_id, version FROM romancy.instances WHERE start_token IS NULL ORDER BY 1`,
    );
    expect(rows).toEqual([
      { instance_id: 'made', version: '1' },
      { instance_id: 'new', version: '1' },
    ]);
    // Somebody who gave the id of one of them himself.
    expect(await commit({ starts: [newInstance('made'), newInstance('next', { startToken: 'next' })] })).toMatchObject({
      conflicts: ['made'],
    });
    expect(await storage.instances.get('next')).toMatchObject({ status: 'running' });
    // And the other way round: an id that was made, and is there of another start.
    expect(await commit({ starts: [newInstance('one', { startToken: 'one' }), newInstance('last')] })).toMatchObject({
      conflicts: ['one'],
    });
    expect(await storage.instances.get('last')).toMatchObject({ status: 'running' });
  });

  it('in part is completed', async () => {
    await commit({ entries: [newEntry('one', 1)] });
    calledFunctions();
    await commit({ entries: [newEntry('one', 1, { data: '"other"' }), newEntry('one', 2)] });
    expect(calledFunctions()).toEqual(['commit_runs_1', 'commit_progress_1']);
    const history = await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 10 });
    expect(history.map(({ seq, data }) => [seq, data])).toEqual([
      [1, '1'],
      [2, '1'],
    ]);
  });

  it('by somebody else is a conflict, and nothing of it is written for him', async () => {
    await storage.runs.commit(
      batch(await registered(storage, 'other'), { starts: [newInstance('new', { startToken: 'other' })] }),
    );
    expect(await commit(progress())).toMatchObject({ conflicts: ['new'] });
    expect(await storage.runs.history({ instanceId: 'new', afterSeq: 0, limit: 10 })).toEqual([]);
    expect(await storage.instances.get('new')).toMatchObject({ status: 'running', owner: 'other' });
  });
});

it('a start of an id that somebody else is just starting waits for him, and is a conflict', async () => {
  const other = new pg.Client({ connectionString: address });
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('BEGIN');
  await other.query(`INSERT INTO romancy.instances (instance_id, workflow_name, input, start_token, status, wake_at, created_at)
    VALUES ('new', 'order', '1', 'other', 'pending', now(), now())`);
  const committing = commit({ starts: [newInstance('new'), newInstance('next')], entries: [newEntry('next', 1)] });
  await lockWaits(outside, 1);
  await other.query('COMMIT');
  expect(await committing).toMatchObject({ conflicts: ['new'] });
  expect(calledFunctions().slice(-2)).toEqual(['commit_runs_1', 'commit_progress_1']);
  expect(await storage.instances.get('new')).toMatchObject({ status: 'pending', owner: null });
  expect(await storage.runs.history({ instanceId: 'next', afterSeq: 0, limit: 10 })).toHaveLength(1);
});

it('a settlement that somebody got ahead of is refused', async () => {
  await storage.messages.deliver({ ...message, to: { type: 'instance', instanceId: 'one' } });
  await storage.instances.requestCancel({ instanceId: 'two', reason: null });
  expect(await commit({ settlements: [park('one'), complete('two')] })).toMatchObject({ refused: ['one', 'two'] });
});
