// Transactions of activities on SQLite: two handles, one lock, and what users do with them.
import { TransactionError, type Storage } from '@romancy/core/ports';
import { ManualClock, recordingLogger } from '@romancy/core/testing';
import type { SqliteStorageOptions, SqliteTransaction } from '@romancy/storage-sqlite';
import { temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { batch, complete, entry, incoming, look, noSignal, openStorage, register, renewal, start } from './local-storage.js';

type Handle = SqliteTransaction<{ rows: { key: string; value: string | null } }>;

let filename: string;
let outside: Database.Database;
let storage: Storage;

async function open(options: Partial<SqliteStorageOptions> = {}): Promise<void> {
  storage = await openStorage({ filename, ...options } as SqliteStorageOptions);
  await register(storage, 'me');
  await storage.runs.commit(batch('me', { starts: [start('one')] }));
}

async function begin() {
  const transaction = await storage.transactions.begin({ signal: noSignal });
  return { transaction, ...(transaction.handle as Handle) };
}

const keys = (): readonly unknown[] => outside.prepare('SELECT key FROM rows ORDER BY key').pluck().all();
const history = async (): Promise<readonly number[]> =>
  (await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 100 })).map(({ seq }) => seq);

beforeEach(async () => {
  filename = await temporaryFile();
  outside = new Database(filename);
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE rows (key TEXT PRIMARY KEY, value TEXT)');
  return () => outside.close();
});

describe('the handle', () => {
  it('takes queries by Kysely and statements of better-sqlite3, in one transaction', async () => {
    await open();
    const { transaction, db, database } = await begin();
    expect(db.isTransaction).toBe(true);
    const inserted = await db.insertInto('rows').values({ key: 'a', value: '1' }).executeTakeFirstOrThrow();
    expect(inserted.numInsertedOrUpdatedRows).toBe(1n);
    database.prepare('INSERT INTO rows VALUES (?, ?)').run('b', '2');
    database.transaction(() => database.exec(`INSERT INTO rows VALUES ('c', '3')`))();
    expect(await db.updateTable('rows').set({ value: 'x' }).where('key', '=', 'c').returningAll().execute()).toHaveLength(1);
    const streamed: string[] = [];
    for await (const row of db.selectFrom('rows').select('key').orderBy('key').stream()) streamed.push(row.key);
    expect(streamed).toEqual(['a', 'b', 'c']);
    await expect(sql`SELECT nonsense`.execute(db)).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
    expect(keys()).toEqual([]);
    await transaction.commit({ workerId: 'me', entry: entry('one', 1) });
    expect(keys()).toEqual(['a', 'b', 'c']);
    expect(await history()).toEqual([1]);
  });

  it('is of no use after the end: what outlives its attempt writes nowhere', async () => {
    await open();
    const first = await begin();
    const statement = first.database.prepare(`INSERT INTO rows VALUES ('late', NULL)`);
    await first.transaction.rollback();
    const second = await begin();
    expect(() => statement.run()).toThrow('connection is not open');
    await expect(first.db.insertInto('rows').values({ key: 'late', value: null }).execute()).rejects.toThrow(TransactionError);
    await second.transaction.commit({ workerId: 'me', entry: entry('one', 1) });
    expect(keys()).toEqual([]);
  });

  it('has the settings of the main connection that decide what is refused', async () => {
    outside.exec('CREATE TABLE parts (of_key TEXT REFERENCES rows (key) DEFERRABLE INITIALLY DEFERRED)');
    await open({ onConnection: (database) => database.function('twice', (x: number) => x * 2) });
    const { transaction, database } = await begin();
    expect(database.prepare('SELECT twice(21)').pluck().get()).toBe(42);
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    database.exec(`INSERT INTO parts VALUES ('nowhere')`);
    // Found out at the commit, by the database: its error, and nothing is committed.
    const failed = transaction.commit({ workerId: 'me', entry: entry('one', 1) });
    await expect(failed).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
    expect(await history()).toEqual([]);
    await storage.runs.commit(batch('me', { settlements: [complete('one')] }));
  });

  it('can be left in the middle of a loop over rows', async () => {
    outside.exec(`INSERT INTO rows VALUES ('a', NULL), ('b', NULL)`);
    await open();
    for (const end of ['rollback', 'commit'] as const) {
      const { transaction, database } = await begin();
      database.exec(`INSERT INTO rows VALUES ('${end}', NULL)`);
      const rows = database.prepare('SELECT * FROM rows').iterate();
      rows.next();
      if (end === 'commit') await transaction.commit({ workerId: 'me', entry: entry('one', 1) });
      else await transaction.rollback();
      expect(() => database.exec(`INSERT INTO rows VALUES ('late', NULL)`)).toThrow();
    }
    expect(keys()).toEqual(['a', 'b', 'commit']);
    await storage.runs.commit(batch('me', { settlements: [complete('one')] }));
  });
});

describe('a commit', () => {
  it.each([
    { what: 'commits', act: 'COMMIT', left: ['mine'] },
    { what: 'rolls back', act: 'ROLLBACK', left: [] },
    { what: 'commits and begins anew', act: `COMMIT; BEGIN; INSERT INTO rows VALUES ('more', NULL)`, left: ['mine'] },
    { what: 'rolls back and begins anew', act: `ROLLBACK; BEGIN; INSERT INTO rows VALUES ('more', NULL)`, left: [] },
  ])('of an activity that $what by itself is refused, and records nothing', async ({ act, left }) => {
    await open();
    const { transaction, database } = await begin();
    database.exec(`INSERT INTO rows VALUES ('mine', NULL)`);
    database.exec(act);
    const refused = transaction.commit({ workerId: 'me', entry: entry('one', 1) });
    await expect(refused).rejects.toThrow('ended its transaction by itself');
    await expect(refused).rejects.toBeInstanceOf(TransactionError);
    await transaction.rollback();
    expect(await history()).toEqual([]);
    expect(keys()).toEqual(left);
    // The lock is free again.
    await storage.runs.commit(batch('me', { settlements: [complete('one')] }));
  });

  it('of an activity that closed its connection is refused', async () => {
    await open();
    const { transaction, database } = await begin();
    database.close();
    await expect(transaction.commit({ workerId: 'me', entry: entry('one', 1) })).rejects.toBeInstanceOf(TransactionError);
    await storage.runs.commit(batch('me', { settlements: [complete('one')] }));
  });

  it('of an entry that is there already is refused, and undoes what was written', async () => {
    await open();
    await storage.runs.commit(batch('me', { entries: [entry('one', 1)] }));
    const { transaction, database } = await begin();
    database.exec(`INSERT INTO rows VALUES ('twice', NULL)`);
    await expect(transaction.commit({ workerId: 'me', entry: entry('one', 1) })).rejects.toBeInstanceOf(TransactionError);
    expect(keys()).toEqual([]);
  });

  it('brings along what the instance recorded before, whose own commit waits for the lock', async () => {
    await open();
    await storage.messages.deliver(incoming('1', 'event:paid', { to: { type: 'instance', instanceId: 'one' } }));
    const signals = await storage.runs.readSignals({ workerId: 'me', instanceIds: ['one'], mailLimit: 10 });
    const takenMail = [{ instanceId: 'one', mailId: signals[0]!.mail[0]!.mailId }];
    const subscriptions = [{ instanceId: 'one', topic: 'event:paid' }];
    const before = { starts: [], entries: [entry('one', 1)], effects: [], subscriptions, takenMail };
    const { transaction } = await begin();
    const waiting = storage.runs.commit(batch('me', before));
    await transaction.commit({ workerId: 'me', entry: entry('one', 2), before: [before] });
    expect(await history()).toEqual([1, 2]);
    await waiting;
    expect(await history()).toEqual([1, 2]);
    expect((await storage.runs.readSignals({ workerId: 'me', instanceIds: ['one'], mailLimit: 10 }))[0]?.mail).toEqual([]);
    expect((await storage.messages.deliver(incoming('2', 'event:paid'))).receivers).toBe(1);
  });
});

describe('while a transaction is open', () => {
  it('reads are answered, writes of this process wait in line, and no other connection can write', async () => {
    await open();
    const { transaction } = await begin();
    const order: string[] = [];
    const waiting = Promise.all([
      storage.runs.commit(batch('me', { entries: [entry('one', 5)] })).then(() => order.push('commit')),
      storage.instances.requestCancel({ instanceId: 'one', reason: null }).then(() => order.push('cancel')),
    ]);
    expect((await storage.instances.get('one'))?.cancelRequested).toBe(false);
    expect(() => outside.pragma('busy_timeout = 0') && outside.exec('BEGIN IMMEDIATE')).toThrow('locked');
    expect(order).toEqual([]);
    await transaction.commit({ workerId: 'me', entry: entry('one', 1) });
    await waiting;
    expect(order).toEqual(['commit', 'cancel']);
    expect(await history()).toEqual([1, 5]);
  });

  it('it is undone when the storage is closed', async () => {
    await open();
    const { transaction, database } = await begin();
    database.exec(`INSERT INTO rows VALUES ('never', NULL)`);
    const waiting = expect(storage.runs.commit(batch('me', {}))).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await storage.close();
    await waiting;
    await transaction.rollback();
    await expect(transaction.commit({ workerId: 'me', entry: entry('one', 1) })).rejects.toBeInstanceOf(TransactionError);
    expect(keys()).toEqual([]);
  });
});

describe('a transaction that stays open for long', () => {
  const leaseMs = 30_000;
  let clock: ManualClock;

  async function openWithClock(options: Partial<SqliteStorageOptions> = {}): Promise<void> {
    clock = new ManualClock();
    storage = await openStorage({ filename, ...options } as SqliteStorageOptions, { clock });
    await register(storage, 'me', leaseMs);
    await storage.runs.commit(batch('me', { starts: [start('one')] }));
  }

  it.each(['commit', 'rollback'] as const)(
    'does not make renewals fail, here or in other processes: after its %s nobody is found dead',
    async (end) => {
      await openWithClock({ transactionTimeoutMs: 3_600_000 });
      const other = await openStorage({ filename }, { clock });
      await register(other, 'other', leaseMs);
      await clock.advance(leaseMs - 1000);
      const { transaction, database } = await begin();
      database.exec(`INSERT INTO rows VALUES ('a', NULL)`);
      await clock.advance(leaseMs * 5);

      // Nobody could have declared this worker dead: so it need not write to know that it is alive.
      expect(await storage.leases.upkeep(renewal('me', leaseMs))).toMatchObject({ alive: true, now: clock.now() });
      expect(await storage.leases.upkeep(renewal('nobody', leaseMs))).toMatchObject({ alive: false });
      // A reaper that has the lock in the moment in which it is free.
      const reaping = other.leases.upkeep(look('other'));

      if (end === 'commit') await transaction.commit({ workerId: 'me', entry: entry('one', 1) });
      else await transaction.rollback();
      expect(keys()).toEqual(end === 'commit' ? ['a'] : []);
      expect((await reaping).reaped).toEqual([]);
      expect((await other.leases.upkeep(look('other'))).reaped).toEqual([]);
      expect((await storage.leases.upkeep(look('me'))).reaped).toEqual([]);
      // The time went on for the other one where it had stood still; for this one it began anew.
      await clock.advance(1001);
      expect((await storage.leases.upkeep(look('me'))).reaped).toMatchObject([{ workerId: 'other' }]);
      await clock.advance(leaseMs);
      await register(other, 'third', leaseMs);
      expect((await other.leases.upkeep(look('third'))).reaped).toMatchObject([{ workerId: 'me' }]);
    },
  );

  it('is rolled back in the end, so that the others can go on', async () => {
    const logger = recordingLogger();
    clock = new ManualClock();
    storage = await openStorage({ filename, transactionTimeoutMs: 10_000 }, { clock, logger });
    await register(storage, 'me', leaseMs);
    await storage.runs.commit(batch('me', { starts: [start('one')] }));
    const { transaction, database, db } = await begin();
    database.exec(`INSERT INTO rows VALUES ('never', NULL)`);
    const waiting = storage.runs.commit(batch('me', { settlements: [complete('one')] }));
    await clock.advance(10_000);
    expect((await waiting).refused).toEqual([]);
    expect(keys()).toEqual([]);
    expect(logger.matching('transactionTimeoutMs')).toHaveLength(1);
    await expect(db.selectFrom('rows').selectAll().execute()).rejects.toThrow('transactionTimeoutMs');
    await expect(transaction.commit({ workerId: 'me', entry: entry('one', 1) })).rejects.toThrow('transactionTimeoutMs');
    expect(clock.pendingTimers).toBe(0);
  });
});
