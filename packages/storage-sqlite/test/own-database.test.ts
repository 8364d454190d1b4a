// A connection that the user brings, and databases without a file.
import { ConfigurationError, type Storage } from '@romancy/core/ports';
import { createSqliteStorage, type SqliteTransaction } from '@romancy/storage-sqlite';
import { temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { batch, claimAll, complete, entry, noSignal, openStorage, register, renewal, start } from './local-storage.js';

function openOwn(filename: string): Database.Database {
  const database = new Database(filename);
  onTestFinished(() => void database.close());
  return database;
}

/** A start, an activity with its transaction, and the end. */
async function useStorage(storage: Storage): Promise<readonly unknown[]> {
  await register(storage, 'me');
  await storage.runs.commit(batch('me', { starts: [start('one', false)] }));
  expect((await storage.runs.claim(claimAll('me'))).claimed).toHaveLength(1);
  const transaction = await storage.transactions.begin({ signal: noSignal });
  const { database } = transaction.handle as SqliteTransaction<never>;
  database.exec(`CREATE TABLE IF NOT EXISTS rows (key TEXT); INSERT INTO rows VALUES ('mine')`);
  expect((await storage.instances.get('one'))?.status).toBe('running');
  expect(await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 10 })).toEqual([]);
  expect((await storage.leases.upkeep(renewal('me', 1000))).alive).toBe(true);
  const later = storage.runs.commit(batch('me', { settlements: [complete('one')] }));
  await transaction.commit({ workerId: 'me', entry: entry('one', 1) });
  await later;
  const undone = await storage.transactions.begin({ signal: noSignal });
  (undone.handle as SqliteTransaction<never>).database.exec(`INSERT INTO rows VALUES ('undone')`);
  await undone.rollback();
  expect((await storage.instances.list(everything)).map(({ status }) => status)).toEqual(['completed']);
  return storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 10 });
}

const everything = {
  ...{ status: undefined, workflowName: undefined, instanceId: undefined, startedAfter: undefined, startedBefore: undefined },
  ...{ input: [], limit: 10, after: undefined },
};

describe('a database that the user brings', () => {
  it('is used beside his own tables, with its own settings, and stays open', async () => {
    const database = openOwn(await temporaryFile());
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = OFF');
    database.exec('CREATE TABLE instances (mine TEXT)');
    const storage = await openStorage({ database });
    expect(await useStorage(storage)).toHaveLength(1);
    const transaction = await storage.transactions.begin({ signal: noSignal });
    const { database: second } = transaction.handle as SqliteTransaction<never>;
    expect(second).not.toBe(database);
    expect(second.pragma('synchronous', { simple: true })).toBe(0);
    await transaction.rollback();
    await storage.close();
    expect(database.open).toBe(true);
    expect(database.pragma('synchronous', { simple: true })).toBe(0);
    expect(database.prepare('SELECT key FROM rows').pluck().all()).toEqual(['mine']);
  });

  it('may have another journal mode and give numbers as bigints', async () => {
    const database = openOwn(await temporaryFile());
    database.defaultSafeIntegers(true);
    const storage = await openStorage({ database });
    const [recorded] = await useStorage(storage);
    expect(recorded).toMatchObject({ seq: 1, position: 0 });
    expect(database.pragma('journal_mode', { simple: true })).toBe('delete');
  });

  it('is waited for while its owner is in a transaction or in a loop over rows', async () => {
    const database = openOwn(await temporaryFile());
    database.pragma('journal_mode = WAL');
    database.exec(`CREATE TABLE numbers (n); INSERT INTO numbers VALUES (1), (2)`);
    const storage = await openStorage({ database });
    await register(storage, 'me');
    database.exec('BEGIN; INSERT INTO numbers VALUES (3)');
    const first = storage.runs.commit(batch('me', { starts: [start('one')] }));
    const record = storage.instances.get('one');
    database.exec('ROLLBACK');
    await first;
    await record;
    const rows = database.prepare('SELECT n FROM numbers').iterate();
    rows.next();
    const second = storage.runs.commit(batch('me', { settlements: [complete('one')] }));
    rows.return?.();
    expect((await second).refused).toEqual([]);
    expect(database.prepare('SELECT count(*) FROM numbers').pluck().get()).toBe(2);
  });

  it('may be used by two storages with different prefixes, which do not see each other', async () => {
    const database = openOwn(await temporaryFile());
    const storages = await Promise.all(['a_', 'b_'].map((tablePrefix) => openStorage({ database, tablePrefix })));
    for (const storage of storages) expect(await useStorage(storage)).toHaveLength(1);
  });
});

describe('a database without a file', () => {
  it('is used over one connection alone', async () => {
    expect(await useStorage(await openStorage({ filename: ':memory:' }))).toHaveLength(1);
    const database = openOwn(':memory:');
    expect(await useStorage(await openStorage({ database }))).toHaveLength(1);
    expect(database.prepare('SELECT key FROM rows').pluck().all()).toEqual(['mine']);
  });
});

describe('a database that is in use by its owner', () => {
  it('is waited for when it is opened, and when an activity begins', async () => {
    for (const database of [openOwn(':memory:'), openOwn(await temporaryFile())]) {
      database.exec('BEGIN; CREATE TABLE mine (x)');
      const opening = openStorage({ database });
      database.exec('COMMIT');
      const storage = await opening;
      database.exec('BEGIN');
      const beginning = storage.transactions.begin({ signal: noSignal });
      database.exec('COMMIT');
      await (await beginning).rollback();
      expect(database.inTransaction).toBe(false);
    }
  });

  it('is undone also when an activity has left a loop over rows open', async () => {
    const database = openOwn(':memory:');
    const storage = await openStorage({ database });
    await register(storage, 'me');
    const transaction = await storage.transactions.begin({ signal: noSignal });
    database.exec('CREATE TABLE mine (x); INSERT INTO mine VALUES (1), (2)');
    const rows = database.prepare('SELECT x FROM mine').iterate();
    rows.next();
    await transaction.rollback();
    expect(database.inTransaction).toBe(false);
    rows.return?.();
    await register(storage, 'me');
    expect(database.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'mine'`).pluck().get()).toBe(0);
  });
});

describe('options', () => {
  const refused: readonly { readonly option: string; readonly given: object }[] = [
    { option: 'filename', given: {} },
    { option: 'filename', given: { filename: '' } },
    { option: 'filename', given: { filename: 7 } },
    { option: 'database', given: { filename: 'x.db', database: new Database(':memory:') } },
    { option: 'synchronous', given: { filename: 'x.db', synchronous: 'off' } },
    { option: 'synchronous', given: { database: new Database(':memory:'), synchronous: 'full' } },
    { option: 'tablePrefix', given: { filename: 'x.db', tablePrefix: 'a b' } },
    { option: 'tablePrefix', given: { filename: 'x.db', tablePrefix: 'sqlite_' } },
    { option: 'lockTimeoutMs', given: { filename: 'x.db', lockTimeoutMs: 0 } },
    { option: 'transactionTimeoutMs', given: { filename: 'x.db', transactionTimeoutMs: Number.NaN } },
    { option: 'onConnection', given: { filename: 'x.db', onConnection: 'PRAGMA key' } },
    { option: 'busyTimeout', given: { filename: 'x.db', busyTimeout: 5 } },
    { option: 'database', given: { database: {} } },
    { option: 'filename', given: null as never },
    { option: 'filename', given: undefined as never },
  ];
  it.each(refused)('name $option when it is wrong', ({ option, given }) => {
    const attempt = (): unknown => createSqliteStorage(given as never);
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(option);
  });

  it('refuse a read-only database, and a file in a folder that is not there', async () => {
    const filename = await temporaryFile();
    new Database(filename).close();
    const database = new Database(filename, { readonly: true });
    onTestFinished(() => void database.close());
    expect(() => createSqliteStorage({ database })).toThrow(ConfigurationError);
    await expect(openStorage({ filename: `${filename}/none/x.db` })).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('are described by the absolute path of the file', async () => {
    const filename = await temporaryFile();
    expect(createSqliteStorage({ filename }).description).toBe(filename);
    expect(createSqliteStorage({ filename: 'x.db' }).description).toBe(`${process.cwd()}/x.db`);
    expect(createSqliteStorage({ database: openOwn(filename) }).description).toBe(filename);
  });
});
