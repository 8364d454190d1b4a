// The end of one instance goes by a statement of its own where nothing but its row and its last entry is concerned, and by the function where more is.
import type { Effect, ProgressBatch, Settlement, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';
import { batch, claimRequest, complete, newEntry, newInstance, park } from './worker-calls.js';

let watched: WatchedPool;
let storage: Storage;
let worker: string;
/** Comes in between. */
let other: pg.Client;
let looker: pg.Client;

beforeEach(async () => {
  const { url } = await createDatabase();
  [other, looker] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  await Promise.all([other.connect(), looker.connect()]);
  watched = watchedPool(url);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
  await commit({ starts: [newInstance('one')] });
  committedBy();
});

afterEach(() => Promise.all([other.end(), looker.end()]));

const commit = (parts: Partial<ProgressBatch>) => storage.runs.commit(batch(worker, parts));
const historyOf = (instanceId: string) => storage.runs.history({ instanceId, afterSeq: 0, limit: 10 });
const ended: Settlement = complete('one');
const failed: Settlement = {
  ...{ type: 'finish', instanceId: 'one', claim: 1 },
  status: 'failed',
  output: null,
  error: '{"message":"no"}',
};
const last = { entries: [newEntry('one', 1)], settlements: [ended] };

/** By what it was committed since. */
function committedBy(): string[] {
  return watched.statements.splice(0).flatMap((text) => {
    if (/ AS i \([^]*ON CONFLICT \(instance_id\) DO UPDATE/.test(text))
      return text.includes('"history"') ? ['end with entry'] : ['end'];
    return /commit_(?:runs|progress)_1/.exec(text)?.[0] ?? [];
  });
}

const columns =
  'status, owner, attention, wake_at, version, claims, output::text, error::text, finished_at IS NOT NULL AS is_over, workflow_name, input::text, start_token';
const rowOf = async (instanceId: string): Promise<unknown> =>
  (await other.query(`SELECT ${columns} FROM romancy.instances WHERE instance_id = $1`, [instanceId])).rows[0];

async function leftovers(): Promise<string[]> {
  const tables = ['mailbox', 'subscriptions', 'group_members'];
  const { rows } = await other.query<{ name: string }>(
    tables.map((name) => `SELECT '${name}' AS name FROM romancy.${name} WHERE instance_id = 'one'`).join(' UNION '),
  );
  return rows.map(({ name }) => name);
}

describe('an end', () => {
  it.for<readonly [string, Settlement, Partial<ProgressBatch>]>([
    ['end', ended, {}],
    ['end', failed, {}],
    ['end with entry', ended, { entries: [newEntry('one', 3, { data: '{"a":"\\"b\\\\"}' })] }],
    ['end with entry', failed, { entries: [newEntry('one', 3, { kind: 'activity_failed', data: null, dueAt: 12 })] }],
  ])('by %s is the same as by the function', async ([how, settlement, more]) => {
    await commit({ starts: [newInstance('two'), newInstance('three')] });
    committedBy();
    const before = Date.now();
    const answer = await commit({ settlements: [settlement], ...more });
    expect(committedBy()).toEqual([how]);
    const entries = (more.entries ?? []).map((entry) => ({ ...entry, instanceId: 'two' }));
    const byFunction = await commit({ settlements: [{ ...settlement, instanceId: 'two' }, complete('three')], entries });
    expect(committedBy()).toEqual(['commit_runs_1']);
    expect({ ...answer, now: 0 }).toEqual({ ...byFunction, now: 0 });
    expect(answer.now).toBeGreaterThanOrEqual(before - 5);
    expect(await rowOf('one')).toEqual({ ...((await rowOf('two')) as object), start_token: 'token of one' });
    const [mine, theirs] = [await historyOf('one'), await historyOf('two')];
    const bare = (entry: object) => ({ ...entry, instanceId: '', recordedAt: 0 });
    expect(mine.map(bare)).toEqual(theirs.map(bare));
    expect(mine).toHaveLength(entries.length);
  });

  it.for<readonly [string, () => Partial<ProgressBatch>]>([
    ['with an entry of another instance', () => ({ entries: [newEntry('two', 1)], settlements: [ended] })],
    ['with two entries', () => ({ entries: [newEntry('one', 1), newEntry('one', 2)], settlements: [ended] })],
    ['with a start', () => ({ starts: [newInstance('new')], settlements: [ended] })],
    ['with another end', () => ({ settlements: [ended, complete('two')] })],
    ['that is none', () => ({ settlements: [park('one')] })],
    ['with a subscription', () => ({ ...last, subscriptions: [{ instanceId: 'one', topic: 'event:x', seq: 1 }] })],
    ['with mail', () => ({ ...last, takenMail: [{ instanceId: 'one', mailId: '1' }] })],
  ])('%s goes by the function', async ([, parts]) => {
    await commit({ starts: [newInstance('two')] });
    committedBy();
    expect(await commit(parts())).toMatchObject({ refused: [], conflicts: [] });
    expect(committedBy()).toEqual(['commit_runs_1']);
    expect(await leftovers()).toEqual([]);
  });

  it('with what others are told of goes by the function that takes everything', async () => {
    const message = { messageId: 'm', topic: 'child', data: '1', to: { type: 'instance', instanceId: 'two' } } as const;
    await commit({ settlements: [{ ...ended, messages: [message] } as Settlement] });
    expect(committedBy()).toEqual(['commit_progress_1']);
  });

  it('of a further claim goes by the function at once', async () => {
    await commit({ settlements: [{ type: 'release', instanceId: 'one', claim: 1, wakeAt: null }] });
    await storage.runs.claim(claimRequest(worker));
    committedBy();
    await commit({ entries: [newEntry('one', 1)], settlements: [complete('one', 2)] });
    expect(committedBy()).toEqual(['commit_runs_1']);
    expect(await storage.instances.get('one')).toMatchObject({ status: 'completed' });
  });

  it('goes by the function where sessions keep nothing', async () => {
    watched.intercept((query, send) => {
      if (query.name === undefined) return send();
      throw Object.assign(new Error('refused before it began'), { code: '26000' });
    });
    await commit({ entries: [newEntry('one', 1)] });
    committedBy();
    await commit({ entries: [newEntry('one', 2)], settlements: [ended] });
    expect(committedBy()).toEqual(['commit_runs_1']);
  });
});

const effect = (what: Partial<Effect>): Effect => ({ ...what, instanceId: 'one', seq: 1 }) as Effect;
const mailForOne = {
  ...{ messageId: 'm', source: '/test', topic: 'event:paid', data: '1', starts: null },
  to: { type: 'instance', instanceId: 'one' },
} as const;

describe('what has happened to the instance is for the function', () => {
  it.for<readonly [string, () => Promise<unknown>]>([
    ['mail', () => storage.messages.deliver(mailForOne)],
    [
      'mail that was read',
      async () => {
        await storage.messages.deliver(mailForOne);
        await storage.runs.readSignals({ workerId: worker, instanceIds: ['one'], mailLimit: 10 });
      },
    ],
    [
      'a subscription',
      () => commit({ entries: [newEntry('one', 1)], subscriptions: [{ instanceId: 'one', topic: 'event:paid', seq: 1 }] }),
    ],
    ['a group', () => commit({ entries: [newEntry('one', 1)], effects: [effect({ type: 'join', group: 'all' })] })],
  ])('%s', async ([, happen]) => {
    await happen();
    committedBy();
    expect(await commit({ entries: [newEntry('one', 2)], settlements: [ended] })).toMatchObject({ refused: [] });
    expect(committedBy()).toEqual(['end with entry', 'commit_runs_1']);
    expect(await leftovers()).toEqual([]);
    expect(await storage.instances.get('one')).toMatchObject({ status: 'completed' });
    expect((await historyOf('one')).at(-1)).toMatchObject({ seq: 2 });
  });

  it('a message of a queue, which goes back there', async () => {
    await storage.messages.fixMode({ topic: 'channel:jobs', mode: 'competing' });
    await commit({
      entries: [newEntry('one', 1)],
      subscriptions: [{ instanceId: 'one', topic: 'channel:jobs', mode: 'competing', seq: 1 }],
      effects: [effect({ type: 'seek', topic: 'channel:jobs' })],
    });
    await storage.messages.deliver({ ...mailForOne, topic: 'channel:jobs', to: { type: 'subscribers' } });
    await commit({ settlements: [ended] });
    expect(await leftovers()).toEqual([]);
    expect((await other.query('SELECT message_id FROM romancy.queued_messages')).rows).toEqual([{ message_id: 'm' }]);
  });

  it.for<readonly [Settlement]>([[ended], [failed]])('a request to cancel, which refuses it', async ([settlement]) => {
    await storage.instances.requestCancel({ instanceId: 'one', reason: null });
    expect(await commit({ settlements: [settlement] })).toMatchObject({ refused: ['one'] });
    expect(await storage.instances.get('one')).toMatchObject({ status: 'running', owner: worker });
    await commit({ settlements: [{ ...settlement, status: 'cancelled', output: null, error: null } as Settlement] });
    expect(await storage.instances.get('one')).toMatchObject({ status: 'cancelled' });
  });
});

describe('what happens to the instance at this very moment', () => {
  it.for<readonly [string, string, object, readonly string[]]>([
    [
      'mail is waited for, and goes with it',
      `WITH mail AS (INSERT INTO romancy.mailbox (instance_id, topic, message_id, data, delivered_at) VALUES ('one', 'event:x', 'm', '1', now()))
       UPDATE romancy.instances SET version = version + 1, attention = true WHERE instance_id = 'one'`,
      { status: 'completed' },
      [],
    ],
    [
      'a request to cancel is waited for, and refuses it',
      `UPDATE romancy.instances SET version = version + 1, attention = true, cancel_requested_at = now() WHERE instance_id = 'one'`,
      { status: 'running' },
      ['one'],
    ],
  ])('%s', async ([, statement, after, refused]) => {
    await other.query('BEGIN');
    await other.query(statement);
    const committing = commit({ settlements: [ended] });
    await lockWaits(looker, 1);
    await other.query('COMMIT');
    expect(await committing).toMatchObject({ refused });
    expect(committedBy()).toEqual(['end', 'commit_runs_1']);
    expect(await storage.instances.get('one')).toMatchObject(after);
    expect(await leftovers()).toEqual([]);
  });

  it('the death of its worker is waited for, and nothing is written', async () => {
    await other.query('BEGIN');
    await other.query('DELETE FROM romancy.workers WHERE worker_id = $1', [worker]);
    const committing = expect(commit(last)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await lockWaits(looker, 1);
    await other.query('COMMIT');
    await committing;
    expect(await storage.instances.get('one')).toMatchObject({ status: 'running' });
    expect(await historyOf('one')).toEqual([]);
  });
});

describe('an end whose answer was lost', () => {
  it('changes nothing again', async () => {
    await commit(last);
    const before = await rowOf('one');
    expect(await commit(last)).toMatchObject({ refused: [], conflicts: [] });
    expect(await rowOf('one')).toEqual(before);
    expect(await historyOf('one')).toHaveLength(1);
  });

  it('and that is still under way is waited for', async () => {
    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    let late: Promise<unknown> = Promise.resolve();
    await new Promise<void>((sent) => {
      watched.intercept(async (query, _send, client) => {
        watched.intercept(undefined);
        late = (async () => {
          await client.query({ text: 'BEGIN' });
          await client.query(query);
          sent();
          await gate;
          await client.query({ text: 'COMMIT' });
        })();
        await late;
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      });
      commit(last).catch(() => undefined);
    });
    const repeated = commit(last);
    await lockWaits(looker, 1);
    goOn();
    await late;
    expect(await repeated).toMatchObject({ refused: [] });
    expect(await rowOf('one')).toMatchObject({ status: 'completed', version: '2' });
    expect(await historyOf('one')).toHaveLength(1);
  });

  it('does not end a later run of this worker', async () => {
    await other.query(`UPDATE romancy.instances SET claims = 2, version = 2 WHERE instance_id = 'one'`);
    expect(await commit({ settlements: [ended] })).toMatchObject({ refused: [] });
    expect(await rowOf('one')).toMatchObject({ status: 'running', version: '2', owner: worker });
  });

  it.for([['with its entry'], ['alone']])('and whose instance is purged (%s) makes none', async ([how]) => {
    const parts = how === 'alone' ? { settlements: [ended] } : last;
    await commit(parts);
    for (const table of ['instances', 'history']) await other.query(`DELETE FROM romancy.${table} WHERE instance_id = 'one'`);
    expect(await commit(parts)).toMatchObject({ refused: [] });
    expect(await rowOf('one')).toBeUndefined();
  });
});

it('an end whose entry is there already is completed', async () => {
  await commit({ entries: [newEntry('one', 1)] });
  committedBy();
  expect(await commit({ entries: [newEntry('one', 1, { data: '"other"' })], settlements: [ended] })).toMatchObject({
    refused: [],
  });
  expect(committedBy()).toEqual(['end with entry', 'commit_progress_1']);
  expect(await historyOf('one')).toMatchObject([{ data: '1' }]);
  expect(await storage.instances.get('one')).toMatchObject({ status: 'completed' });
});
