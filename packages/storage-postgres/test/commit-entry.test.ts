// A commit of a single entry goes by a statement of its own, and comes to what it would come to by the functions.
import type { ProgressBatch, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';
import { batch, complete, newEntry, newInstance } from './worker-calls.js';

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

it('an entry is one statement, and what is more than that goes by a function', async () => {
  await commit({ starts: [newInstance('one')] });
  committedBy();
  const entry = newEntry('one', 1, { data: '{"a":"\\"b\\\\"}', dueAt: 1234 });
  expect(await commit({ entries: [entry] })).toMatchObject({ refused: [], now: expect.closeTo(Date.now(), -5) });
  expect(committedBy()).toEqual(['INSERT INTO "romancy"."history"']);
  expect(await historyOf('one')).toMatchObject([{ ...entry, data: '{"a":"\\"b\\\\"}' }]);
  await commit({ entries: [newEntry('one', 2)], settlements: [complete('one')] });
  expect(committedBy()).toEqual(['commit_runs_1']);
  expect(await storage.instances.get('one')).toMatchObject({ status: 'completed' });
});

it('one that is there already stays as it is', async () => {
  await commit({ starts: [newInstance('one')] });
  await commit({ entries: [newEntry('one', 1)] });
  await commit({ entries: [newEntry('one', 1, { data: '"other"' })] });
  expect(await historyOf('one')).toMatchObject([{ seq: 1, data: '1' }]);
});

it('waits for whoever is declaring its worker dead, and is not written', async () => {
  await reaper.query('BEGIN');
  await reaper.query('DELETE FROM romancy.workers WHERE worker_id = $1', [worker]);
  const committing = expect(commit({ entries: [newEntry('late', 1)] })).rejects.toMatchObject({ code: 'LEASE_LOST' });
  await lockWaits(looker, 1);
  await reaper.query('COMMIT');
  await committing;
  expect(await historyOf('late')).toEqual([]);
});
