// A commit of one row goes by a statement of its own, and comes to what it would come to by the functions.
import type { ProgressBatch, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';
import { batch, newEntry, newInstance, park } from './worker-calls.js';

let watched: WatchedPool;
let storage: Storage;
let worker: string;
let reaper: pg.Client;
let looker: pg.Client;

beforeEach(async () => {
  const { url } = await createDatabase();
  [reaper, looker] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  await Promise.all([reaper.connect(), looker.connect()]);
  watched = watchedPool(url);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
});

afterEach(() => Promise.all([reaper.end(), looker.end()]));

const commit = (parts: Partial<ProgressBatch>) => storage.runs.commit(batch(worker, parts));
const historyOf = (instanceId: string) => storage.runs.history({ instanceId, afterSeq: 0, limit: 10 });

/** By what it was committed since. */
function committedBy(): string[] {
  return watched.statements
    .splice(0)
    .flatMap((text) => /commit_(?:runs|progress)_1|INSERT INTO "romancy"."\w+"/.exec(text) ?? []);
}

it('a start and an entry are one statement each, and what is more than a row goes by a function', async () => {
  committedBy();
  expect(await commit({ starts: [newInstance('one')] })).toMatchObject({ conflicts: [], now: expect.closeTo(Date.now(), -5) });
  expect(await commit({ starts: [newInstance('free', { owned: false })] })).toMatchObject({ conflicts: [] });
  expect(await commit({ entries: [newEntry('one', 1, { data: '{"a":"\\"b\\\\"}', dueAt: 1234 })] })).toMatchObject({
    refused: [],
  });
  const [start, entry] = ['INSERT INTO "romancy"."instances"', 'INSERT INTO "romancy"."history"'];
  expect(committedBy()).toEqual([start, start, entry]);
  expect(await storage.instances.get('one')).toMatchObject({ status: 'running', owner: worker });
  expect(await storage.instances.get('free')).toMatchObject({ status: 'pending', owner: null });
  expect(await historyOf('one')).toMatchObject([{ seq: 1, data: '{"a":"\\"b\\\\"}', dueAt: 1234 }]);
  await commit({ entries: [newEntry('one', 2)], settlements: [park('one')] });
  expect(committedBy()).toEqual(['commit_runs_1']);
  expect(await storage.instances.get('one')).toMatchObject({ status: 'waiting_for_event' });
});

it('that was sent before changes nothing', async () => {
  const start = newInstance('one');
  await commit({ starts: [start] });
  await commit({ entries: [newEntry('one', 1)] });
  expect(await commit({ starts: [start] })).toMatchObject({ conflicts: [] });
  await commit({ entries: [newEntry('one', 1, { data: '"other"' })] });
  expect(await historyOf('one')).toMatchObject([{ seq: 1, data: '1' }]);
});

it('a start of an id that somebody else has is a conflict', async () => {
  await commit({ starts: [newInstance('one')] });
  committedBy();
  expect(await commit({ starts: [newInstance('one', { startToken: 'another' })] })).toMatchObject({ conflicts: ['one'] });
  expect(committedBy()).toEqual(['INSERT INTO "romancy"."instances"']);
});

it('a start of an id that somebody takes at this moment waits for him, and is a conflict', async () => {
  await commit({ starts: [newInstance('other')] });
  await reaper.query('BEGIN');
  await reaper.query(`INSERT INTO romancy.instances (instance_id, workflow_name, input, start_token, status, created_at)
    VALUES ('one', 'order', '1', 'theirs', 'pending', now())`);
  const committing = commit({ starts: [newInstance('one')] });
  await lockWaits(looker, 1);
  await reaper.query('COMMIT');
  expect(await committing).toMatchObject({ conflicts: ['one'] });
});

it.for<readonly [string, Partial<ProgressBatch>]>([
  ['a start', { starts: [newInstance('late')] }],
  ['an entry', { entries: [newEntry('late', 1)] }],
])('%s waits for whoever is declaring its worker dead, and is not written', async ([, parts]) => {
  await reaper.query('BEGIN');
  await reaper.query('DELETE FROM romancy.workers WHERE worker_id = $1', [worker]);
  const committing = expect(commit(parts)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  await lockWaits(looker, 1);
  await reaper.query('COMMIT');
  await committing;
  expect(await storage.instances.get('late')).toBeUndefined();
  expect(await historyOf('late')).toEqual([]);
});

it('a start of a worker that is not alive is refused, also where its id is taken, or its own', async () => {
  await commit({ starts: [newInstance('one')] });
  await reaper.query('DELETE FROM romancy.workers WHERE worker_id = $1', [worker]);
  for (const start of [newInstance('new'), newInstance('one'), newInstance('one', { startToken: 'another token' })]) {
    await expect(commit({ starts: [start] })).rejects.toMatchObject({ code: 'LEASE_LOST' });
  }
  expect(await storage.instances.get('new')).toBeUndefined();
});

it('a start of an id whose token has a space in it is known as what it is', async () => {
  const start = newInstance('one', { startToken: 'a token' });
  await commit({ starts: [start] });
  expect(await commit({ starts: [start] })).toMatchObject({ conflicts: [] });
  expect(await commit({ starts: [newInstance('one', { startToken: 'a' })] })).toMatchObject({ conflicts: ['one'] });
});

it('a start whose id was made for it is known as what it is', async () => {
  const start = newInstance('an id', { startToken: 'an id' });
  await commit({ starts: [start] });
  committedBy();
  expect(await commit({ starts: [start] })).toMatchObject({ conflicts: [] });
  expect(await commit({ starts: [newInstance('an id', { startToken: 'another' })] })).toMatchObject({ conflicts: ['an id'] });
  await commit({ starts: [newInstance('one')] });
  expect(await commit({ starts: [newInstance('one', { startToken: 'one' })] })).toMatchObject({ conflicts: ['one'] });
  expect(committedBy()).toEqual(Array(4).fill('INSERT INTO "romancy"."instances"'));
});
