// What users do with the transaction of an activity: Kysely, plain pg, Drizzle, and things that they should not do.
import { transactionSlot, type ActivityTransaction, type Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { sql as kyselySql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { postgresTransaction } from '../src/index.js';
import { cutSessions } from './cut-sessions.js';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { batch, claimRequest, newEntry, newInstance, renewal } from './worker-calls.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';

interface Tables {
  readonly accounts: { readonly id: string; readonly balance: number };
}

const accounts = pgTable('accounts', { id: text('id').primaryKey(), balance: integer('balance').notNull() });

let watched: WatchedPool;
let storage: Storage;
let outside: pg.Client;
let worker: string;

beforeEach(async () => {
  const { url } = await createDatabase();
  outside = new pg.Client({ connectionString: url });
  await outside.connect();
  await outside.query(`CREATE TABLE accounts (id text PRIMARY KEY, balance integer NOT NULL CHECK (balance >= 0));
    CREATE TABLE transfers (account text REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED)`);
  await outside.query(`INSERT INTO accounts VALUES ('a', 100), ('b', 0)`);
  watched = watchedPool(url, 5);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
  await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
});

afterEach(() => outside.end());

/** An activity's context and its transaction, as the engine makes them. */
async function begin(): Promise<{ readonly ctx: object; readonly transaction: ActivityTransaction }> {
  const transaction = await storage.transactions.begin({ signal: new AbortController().signal });
  return { ctx: { [transactionSlot]: { storageKind: 'postgres', open: async () => transaction } }, transaction };
}

const commit = (transaction: ActivityTransaction, seq = 1): Promise<unknown> =>
  transaction.commit({ workerId: worker, entry: newEntry('one', seq) });

async function balances(): Promise<Record<string, number>> {
  const { rows } = await outside.query<{ id: string; balance: number }>('SELECT id, balance FROM accounts ORDER BY id');
  return Object.fromEntries(rows.map(({ id, balance }) => [id, balance]));
}

const recorded = async (): Promise<readonly number[]> =>
  (await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 100 })).map(({ seq }) => seq);

describe('postgresTransaction', () => {
  it('takes Kysely, plain pg and Drizzle in one transaction', async () => {
    const { ctx, transaction } = await begin();
    const { db, client } = await postgresTransaction<Tables, pg.PoolClient>(ctx);
    const updated = await db
      .updateTable('accounts')
      .set((row) => ({ balance: row('balance', '-', 30) }))
      .where('id', '=', 'a')
      .executeTakeFirst();
    expect(updated.numUpdatedRows).toBe(1n);
    await client.query('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [20, 'b']);
    const orm = drizzle(client);
    await orm.update(accounts).set({ balance: 30 }).where(eq(accounts.id, 'b'));
    expect(await orm.select().from(accounts).where(eq(accounts.balance, 30))).toEqual([{ id: 'b', balance: 30 }]);
    expect(await balances()).toEqual({ a: 100, b: 0 });
    await commit(transaction);
    expect(await balances()).toEqual({ a: 70, b: 30 });
    expect(await recorded()).toEqual([1]);
  });

  it('gives the same transaction at each call, and works without types', async () => {
    const { ctx, transaction } = await begin();
    const first = await postgresTransaction(ctx);
    expect(await postgresTransaction(ctx)).toBe(first);
    const row = await first.db.selectFrom('accounts').select('balance').where('id', '=', 'a').executeTakeFirst();
    expect(row?.['balance']).toBe(100);
    const { rows } = await first.client.query('SELECT balance FROM accounts WHERE id = $1', ['a']);
    expect(rows[0]?.['balance']).toBe(100);
    await transaction.rollback();
  });

  it('belongs to an activity, on this storage', async () => {
    await expect(postgresTransaction({})).rejects.toMatchObject({ code: 'TRANSACTION' });
    const foreign = { [transactionSlot]: { storageKind: 'sqlite', open: () => Promise.reject(new Error('never')) } };
    await expect(postgresTransaction(foreign)).rejects.toThrow(/stores in sqlite/);
  });

  it('lets the first statement choose the isolation level', async () => {
    const { ctx, transaction } = await begin();
    const { client } = await postgresTransaction(ctx);
    await client.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
    const { rows } = await client.query('SHOW transaction_isolation');
    expect(rows).toEqual([{ transaction_isolation: 'serializable' }]);
    await commit(transaction);
  });

  it('refuses what would end it from inside, and goes on', async () => {
    const { ctx, transaction } = await begin();
    const { db, client } = await postgresTransaction<Tables, pg.PoolClient>(ctx);
    expect(() => client.release()).toThrow(/belongs to Romancy/);
    expect(() => db.transaction()).toThrow();
    await expect(async () => db.destroy()).rejects.toThrow();
    await db.updateTable('accounts').set({ balance: 1 }).where('id', '=', 'a').execute();
    await commit(transaction);
    expect(await balances()).toMatchObject({ a: 1 });
  });
});

describe('an error in the database', () => {
  it('of a statement spoils the transaction: the commit fails with it, and the next attempt is not touched', async () => {
    const { ctx, transaction } = await begin();
    const { db, client } = await postgresTransaction<Tables>(ctx);
    await db.updateTable('accounts').set({ balance: 5 }).where('id', '=', 'a').execute();
    await expect(client.query(`UPDATE accounts SET balance = -1 WHERE id = 'a'`)).rejects.toMatchObject({ code: '23514' });
    await expect(commit(transaction)).rejects.toMatchObject({ code: '25P02' });
    await transaction.rollback();
    expect(await balances()).toEqual({ a: 100, b: 0 });

    const next = await begin();
    const { db: again } = await postgresTransaction<Tables>(next.ctx);
    await again.updateTable('accounts').set({ balance: 7 }).where('id', '=', 'a').execute();
    await commit(next.transaction);
    expect(await balances()).toMatchObject({ a: 7 });
    expect(await recorded()).toEqual([1]);
  });

  it('behind a savepoint spoils nothing', async () => {
    const { ctx, transaction } = await begin();
    const { client } = await postgresTransaction(ctx);
    await client.query('SAVEPOINT attempt');
    await client.query(`UPDATE accounts SET balance = -1 WHERE id = 'a'`).catch(() => undefined);
    await client.query('ROLLBACK TO SAVEPOINT attempt');
    await client.query(`UPDATE accounts SET balance = 3 WHERE id = 'a'`);
    await commit(transaction);
    expect(await balances()).toMatchObject({ a: 3 });
  });

  it('of a constraint that is checked at the commit undoes all, the entry too', async () => {
    const { ctx, transaction } = await begin();
    const { client } = await postgresTransaction(ctx);
    await client.query(`INSERT INTO transfers VALUES ('nobody')`);
    await expect(commit(transaction)).rejects.toMatchObject({ code: '23503' });
    expect(await recorded()).toEqual([]);
    expect((await outside.query('SELECT FROM transfers')).rowCount).toBe(0);
  });
});

describe('an activity that ends its transaction by itself', () => {
  it.each([
    ['COMMIT', 42],
    ['ROLLBACK', 100],
    ['COMMIT; BEGIN', 42],
    ['ROLLBACK; BEGIN', 100],
    ['COMMIT AND CHAIN', 42],
  ])('by %s is told so, and nothing is recorded', async (statement, balance) => {
    const { ctx, transaction } = await begin();
    const { client } = await postgresTransaction(ctx);
    await client.query(`UPDATE accounts SET balance = 42 WHERE id = 'a'`);
    await client.query(statement);
    await expect(commit(transaction)).rejects.toMatchObject({
      code: 'TRANSACTION',
      message: expect.stringContaining('by itself'),
    });
    await transaction.rollback();
    expect(await balances()).toMatchObject({ a: balance });
    expect(await recorded()).toEqual([]);
    await commit((await begin()).transaction);
  });
});

describe('an activity that goes on after its attempt is over', () => {
  it('cannot write into the next one, by whatever it kept', async () => {
    const { ctx, transaction } = await begin();
    const { db, client } = await postgresTransaction<Tables, pg.PoolClient>(ctx);
    const orm = drizzle(client);
    await transaction.rollback();
    const next = await begin();
    await expect(client.query(`UPDATE accounts SET balance = 1`)).rejects.toMatchObject({ code: 'TRANSACTION' });
    await expect(db.updateTable('accounts').set({ balance: 1 }).execute()).rejects.toMatchObject({ code: 'TRANSACTION' });
    await expect(orm.update(accounts).set({ balance: 1 })).rejects.toThrow();
    await new Promise<void>((resolve) => {
      client.query('SELECT 1', (error: unknown) => {
        expect(error).toMatchObject({ code: 'TRANSACTION' });
        resolve();
      });
    });
    await commit(next.transaction);
    expect(await balances()).toEqual({ a: 100, b: 0 });
  });

  it('with a query that is still running is cut off', { timeout: 20_000 }, async () => {
    const { ctx, transaction } = await begin();
    const { client } = await postgresTransaction(ctx);
    const endless = client.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    await transaction.rollback();
    expect(await endless).toBeInstanceOf(Error);
    await commit((await begin()).transaction);
  });
});

describe('a connection that breaks', () => {
  /** Whether the server gets the statement before the connection is cut. */
  function cutAt(statement: string, arrives: boolean): void {
    watched.intercept(async (query, send, client) => {
      if (!query.text.includes(statement)) return send();
      watched.intercept(undefined);
      if (arrives) await send();
      else {
        const { rows } = await client.query({ text: 'SELECT pg_backend_pid() AS pid' });
        await cutSessions(outside, 'pid = $1', [(rows[0] as { pid: number }).pid]);
      }
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    });
  }

  it('in COMMIT, which took effect: the commit is known to have succeeded', async () => {
    const { ctx, transaction } = await begin();
    await (await postgresTransaction(ctx)).client.query(`UPDATE accounts SET balance = 8 WHERE id = 'a'`);
    cutAt('COMMIT', true);
    await commit(transaction);
    expect(await balances()).toMatchObject({ a: 8 });
    expect(await recorded()).toEqual([1]);
  });

  it.each(['COMMIT', 'concluded'])(
    'at %s, which the server never got: nothing is committed, and that is said',
    async (statement) => {
      const { ctx, transaction } = await begin();
      await (await postgresTransaction(ctx)).client.query(`UPDATE accounts SET balance = 8 WHERE id = 'a'`);
      cutAt(statement, false);
      await expect(commit(transaction)).rejects.toMatchObject({ code: 'TRANSACTION', cause: { code: 'ECONNRESET' } });
      await transaction.rollback();
      expect(await balances()).toMatchObject({ a: 100 });
      expect(await recorded()).toEqual([]);
    },
  );

  it('in COMMIT, which the server is still carrying out: its end is waited for', async () => {
    // A check at the commit that waits for a lock of the test.
    await outside.query(`
      CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait_for_test()`);
    await outside.query('SELECT pg_advisory_lock(1)');
    const { ctx, transaction } = await begin();
    await (await postgresTransaction(ctx)).client.query(`UPDATE accounts SET balance = 8 WHERE id = 'a'`);
    watched.intercept(async (query, send) => {
      if (query.text !== 'COMMIT') return send();
      watched.intercept(undefined);
      void send().catch(() => undefined);
      await lockWaits(outside, 1);
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    });
    const committing = commit(transaction);
    await expect
      .poll(() => watched.statements.filter((statement) => statement.includes('pg_xact_status')).length)
      .toBeGreaterThan(1);
    expect(await recorded()).toEqual([]);
    await outside.query('SELECT pg_advisory_unlock(1)');
    await committing;
    expect(await recorded()).toEqual([1]);
    expect(await balances()).toMatchObject({ a: 8 });
  });

  it('while the activity is at work fails its next query, and ends nothing else', async () => {
    const { ctx, transaction } = await begin();
    const { client } = await postgresTransaction(ctx);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await cutSessions(outside, 'pid = $1', [rows[0]!.pid]);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    await expect(commit(transaction)).rejects.toMatchObject({ code: 'TRANSACTION' });
    await transaction.rollback();
    await commit((await begin()).transaction);
  });

  it('by a process that stands still between the entry and COMMIT: the server ends the session', async () => {
    await begin().then(async ({ transaction }) => {
      let timeout: unknown;
      watched.intercept(async (query, send, client) => {
        if (query.text !== 'COMMIT') return send();
        watched.intercept(undefined);
        ({
          rows: [timeout],
        } = await client.query({ text: 'SHOW idle_in_transaction_session_timeout' }));
        return send();
      });
      await commit(transaction);
      expect(timeout).toEqual({ idle_in_transaction_session_timeout: '10s' });
    });
    const { transaction } = await begin();
    const { rows } = await (transaction.handle as { client: pg.PoolClient }).client.query(
      'SHOW idle_in_transaction_session_timeout',
    );
    expect(rows).toEqual([{ idle_in_transaction_session_timeout: '0' }]);
    await transaction.rollback();
  });
});

describe('many transactions at once', () => {
  it('leave connections for the worker itself', async () => {
    const open = await Promise.all(Array.from({ length: 3 }, begin));
    const further = Array.from({ length: 4 }, begin);
    // All three places are taken by activities that are at work; whatever the worker needs still goes through.
    expect((await storage.leases.upkeep(renewal(worker, 1000))).alive).toBe(true);
    await Promise.all([
      storage.runs.commit(batch(worker, { entries: [newEntry('one', 50)] })),
      storage.runs.claim(claimRequest(worker)),
      storage.instances.get('one'),
    ]);
    for (const { transaction } of open) await transaction.rollback();
    for (const next of further) await (await next).transaction.rollback();
  });

  it('give up waiting for a place when their attempt is over, and take none with them', async () => {
    const open = await Promise.all(Array.from({ length: 3 }, begin));
    const attempt = new AbortController();
    const waiting = storage.transactions.begin({ signal: attempt.signal });
    attempt.abort(new Error('timed out'));
    await expect(waiting).rejects.toThrow('timed out');
    for (const { transaction } of open) await transaction.rollback();
    const again = await Promise.all(Array.from({ length: 3 }, begin));
    for (const { transaction } of again) await transaction.rollback();
  });

  it('are undone when the storage is closed', async () => {
    const { ctx } = await begin();
    const { client } = await postgresTransaction(ctx);
    await client.query(`UPDATE accounts SET balance = 1 WHERE id = 'a'`);
    await storage.close();
    expect(await balances()).toMatchObject({ a: 100 });
    await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: 'TRANSACTION' });
  });

  it('are refused by a pool that has no connection to spare', async () => {
    const small = await openStorage({ pool: { ...watched.pool, options: { max: 2 } } });
    await expect(small.transactions.begin({ signal: new AbortController().signal })).rejects.toThrow(
      /2 connections has none to spare/,
    );
  });
});

describe('Kysely', () => {
  it('takes raw SQL, savepoints and queries at once', async () => {
    const { ctx, transaction } = await begin();
    const { db } = await postgresTransaction<Tables>(ctx);
    await kyselySql`SAVEPOINT here`.execute(db);
    await db.updateTable('accounts').set({ balance: 9 }).execute();
    await kyselySql`ROLLBACK TO SAVEPOINT here`.execute(db);
    const read = (id: string) => db.selectFrom('accounts').select('balance').where('id', '=', id).executeTakeFirstOrThrow();
    // Three, of which a client that were given them at once would have two to keep, and complain.
    expect(await Promise.all([read('a'), read('b'), read('a')])).toEqual([{ balance: 100 }, { balance: 0 }, { balance: 100 }]);
    await commit(transaction);
    expect(await balances()).toEqual({ a: 100, b: 0 });
  });
});
