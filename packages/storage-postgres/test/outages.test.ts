// The database goes away, is full, slow or busy: calls fail as passing, nothing ends the process, and the next call works.
import type { Storage } from '@romancy/core/ports';
import { afterwards, createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresStorage } from '../src/index.js';
import { cutSessions } from './cut-sessions.js';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { context } from './storage-context.js';
import { watchedPool } from './watched-pool.js';
import { batch, claimRequest, complete, newEntry, newInstance } from './worker-calls.js';

let url: string;
let outside: pg.Client;
let looker: pg.Client;

beforeEach(async () => {
  ({ url } = await createDatabase());
  outside = new pg.Client({ connectionString: url });
  looker = new pg.Client({ connectionString: url });
  await Promise.all([outside.connect(), looker.connect()]);
});

afterEach(() => Promise.all([outside.end(), looker.end()]));

/** Ends all sessions but those of the test. */
const cutAllSessions = (): Promise<void> =>
  cutSessions(outside, 'pid <> $1', [(looker as unknown as { processID: number }).processID]);

const unavailable = { code: 'STORAGE_UNAVAILABLE' };

describe('sessions that are cut', () => {
  it('while idle are replaced, and end no process', async () => {
    const pool = new pg.Pool({ connectionString: url });
    afterwards(() => pool.on('error', () => undefined).end());
    const storages = [await openStorage({ connectionString: url }), await openStorage({ pool })];
    for (const storage of storages) await registered(storage, `worker`);
    await cutAllSessions();
    for (const storage of storages) {
      // A pool may not have heard yet; what it then answers is passing.
      await storage.instances.get('x').catch((error: unknown) => expect(error).toMatchObject(unavailable));
      expect(await storage.instances.get('x')).toBeUndefined();
    }
    await storages[1]!.close();
  });

  it('in the middle of a commit make it fail as passing, with nothing done, and repeatable', async () => {
    const storage = await openStorage({ connectionString: url });
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await outside.query('BEGIN');
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'one' FOR UPDATE`);
    const progress = batch(worker, { entries: [newEntry('one', 1)], settlements: [complete('one')] });
    const failed = storage.runs.commit(progress).catch((error: unknown) => error);
    await lockWaits(looker, 1);
    await cutAllSessions();
    await outside.query('COMMIT');
    expect(await failed).toMatchObject({ ...unavailable, cause: expect.anything() });
    expect((await storage.instances.get('one'))?.status).toBe('running');
    expect(await storage.runs.commit(progress)).toMatchObject({ refused: [] });
    expect((await storage.instances.get('one'))?.status).toBe('completed');
  });

  it('while a connection is in use between two statements end no process', async () => {
    const storage = await openStorage({ connectionString: url });
    const transaction = await storage.transactions.begin({ signal: new AbortController().signal });
    await cutAllSessions();
    await transaction.rollback();
    expect(await storage.instances.get('x').catch(() => storage.instances.get('x'))).toBeUndefined();
  });
});

describe('a server that says no for a while', () => {
  it('has no connection left', async () => {
    const role = `few_${Math.random().toString(36).slice(2)}`;
    await outside.query(`CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD 'x'`);
    const limited = new URL(url);
    limited.username = role;
    limited.password = 'x';
    const storage = await openStorage({ connectionString: limited.href });
    await cutAllSessions();
    await outside.query(`ALTER ROLE ${role} NOSUPERUSER CONNECTION LIMIT 0`);
    const attempts = async (): Promise<unknown> => {
      // The first may still be given the connection that was cut.
      await storage.instances.get('x').catch(() => undefined);
      return storage.instances.get('x').catch((error: unknown) => error);
    };
    expect(await attempts()).toMatchObject({ ...unavailable, cause: { code: '53300' } });
    await outside.query(`ALTER ROLE ${role} SUPERUSER CONNECTION LIMIT -1`);
    expect(await storage.instances.get('x')).toBeUndefined();
    await storage.close();
    await outside.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  });

  it('gives up on a statement that takes too long, and on a lock', async () => {
    const storage = await openStorage({ connectionString: `${url}?options=-c%20statement_timeout%3D200` });
    const impatient = await openStorage({ connectionString: `${url}?options=-c%20lock_timeout%3D200` });
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await outside.query('BEGIN');
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'one' FOR UPDATE`);
    const request = { instanceId: 'one', reason: null };
    await expect(storage.instances.requestCancel(request)).rejects.toMatchObject({ ...unavailable, cause: { code: '57014' } });
    await expect(impatient.instances.requestCancel(request)).rejects.toMatchObject({ ...unavailable, cause: { code: '55P03' } });
    await outside.query('COMMIT');
    expect((await storage.instances.requestCancel(request)).outcome).toBe('requested');
  });

  it('finds a deadlock, of which the user is a part', { timeout: 30_000 }, async () => {
    const storage = await openStorage({ connectionString: url });
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('a'), newInstance('b')] }));
    await outside.query(`SET deadlock_timeout = '1min'; BEGIN`);
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'b' FOR UPDATE`);
    const progress = batch(worker, { settlements: [complete('a'), complete('b')] });
    const failed = storage.runs.commit(progress).catch((error: unknown) => error);
    await lockWaits(looker, 1);
    const mine = outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'a' FOR UPDATE`);
    expect(await failed).toMatchObject({ ...unavailable, cause: { code: '40P01' } });
    await mine;
    await outside.query('COMMIT');
    expect((await storage.runs.commit(progress)).refused).toEqual([]);
  });
});

describe('an answer that never comes', () => {
  it('is given up, and its connection with it', async () => {
    const watched = watchedPool(url);
    const storage = await openStorage({ pool: watched.pool, statementTimeout: 1000 });
    watched.intercept(() => {
      watched.intercept(undefined);
      return new Promise(() => undefined);
    });
    await expect(storage.instances.get('x')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('1000 ms'),
    });
    expect(await storage.instances.get('x')).toBeUndefined();
  });
});

describe('a server that is not there', () => {
  it('makes open fail as passing, and leaves nothing open', async () => {
    const storage = createPostgresStorage({ connectionString: 'postgres://127.0.0.1:1/none' });
    await expect(storage.open(context)).rejects.toMatchObject({ ...unavailable, cause: { code: 'ECONNREFUSED' } });
    await expect(storage.instances.get('x')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  it('does not know the password: that does not pass', async () => {
    const wrong = new URL(url);
    wrong.username = 'nobody_of_that_name';
    const opened = createPostgresStorage({ connectionString: wrong.href }).open(context);
    await expect(opened).rejects.not.toMatchObject(unavailable);
  });
});

describe('a pool of the user', () => {
  let storage: Storage;
  let pool: pg.Pool;

  beforeEach(async () => {
    // A process may have changed how everybody reads these types.
    const types = { getTypeParser: () => () => 'changed by the process' };
    pool = new pg.Pool({ connectionString: url, types });
    storage = await openStorage({ pool });
  });

  // The server may end its sessions first, when the database goes.
  afterEach(() => pool.on('error', () => undefined).end());

  it('stays open when the storage is closed, without a trace in it', async () => {
    expect(pool.listenerCount('error')).toBe(1);
    await storage.close();
    expect(pool.listenerCount('error')).toBe(0);
    expect(pool.totalCount - pool.idleCount).toBe(0);
    expect((await pool.query('SELECT 1')).rowCount).toBe(1);
  });

  it('may read types as it likes', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one', { owned: false, input: '{"a":1}' })] }));
    const { claimed, now } = await storage.runs.claim(claimRequest(worker));
    expect(claimed).toMatchObject([{ input: '{"a":1}', claim: 1, cancel: null }]);
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });
});
