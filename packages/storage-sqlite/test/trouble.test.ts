// What goes wrong with files, and what becomes of it.
import { writeFile } from 'node:fs/promises';
import { SchemaVersionError, StorageUnavailableError, type Storage } from '@romancy/core/ports';
import { recordingLogger } from '@romancy/core/testing';
import { createSqliteStorage } from '@romancy/storage-sqlite';
import { temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { batch, complete, entry, noSignal, openStorage, register, renewal, start } from './local-storage.js';
import { createSystemClock } from './system-clock.js';

function openOwn(filename: string): Database.Database {
  const database = new Database(filename);
  onTestFinished(() => void database.close());
  return database;
}

describe('a full disk', () => {
  it('is reported as passing, leaves nothing half done, and the same call succeeds later', async () => {
    const database = openOwn(await temporaryFile());
    database.pragma('journal_mode = WAL');
    const storage = await openStorage({ database });
    await register(storage, 'me');
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${pages + 2}`);
    const large = { ...start('large'), input: JSON.stringify('x'.repeat(1_000_000)) };
    const commit = batch('me', { starts: [start('small'), large] });
    const refused = await storage.runs.commit(commit).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageUnavailableError);
    expect((refused as Error).cause).toMatchObject({ code: 'SQLITE_FULL' });
    expect(await storage.instances.get('small')).toBeUndefined();
    database.pragma('max_page_count = 1000000');
    expect((await storage.runs.commit(commit)).conflicts).toEqual([]);
    expect((await storage.instances.get('large'))?.input).toHaveLength(1_000_002);
  });
});

describe('a file that is damaged or cannot be written', () => {
  it('is reported as it is: trying again would not help', async () => {
    const filename = await temporaryFile();
    const storage = await openStorage({ filename });
    await register(storage, 'me');
    openOwn(filename).exec('DROP TABLE romancy_history');
    const broken = storage.runs.commit(batch('me', { starts: [start('one')], entries: [entry('one', 1)] }));
    await expect(broken).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
    expect(await storage.instances.get('one')).toBeUndefined();
  });

  it('is refused when it is no database', async () => {
    const filename = await temporaryFile();
    await writeFile(filename, 'this is the text of a letter, which is no database at all. '.repeat(50));
    await expect(openStorage({ filename })).rejects.toMatchObject({ code: 'SQLITE_NOTADB' });
  });
});

describe('versions of the schema side by side', () => {
  async function migrateFurther(filename: string, oldestCompatible: number): Promise<void> {
    openOwn(filename).exec(`
      ALTER TABLE romancy_instances ADD COLUMN of_the_future TEXT;
      INSERT INTO romancy_migrations (version, oldest_compatible, applied_at) VALUES (99, ${oldestCompatible}, 0);
    `);
  }

  it('an older one goes on beside a newer one that says so', async () => {
    const filename = await temporaryFile();
    const running = await openStorage({ filename });
    await register(running, 'running');
    await migrateFurther(filename, 1);
    await running.runs.commit(batch('running', { starts: [start('one')], settlements: [complete('one')] }));
    const late = await openStorage({ filename });
    await register(late, 'late');
    expect((await late.instances.get('one'))?.status).toBe('completed');
  });

  it('an older one refuses what it cannot work with, also when it is open already', async () => {
    const filename = await temporaryFile();
    const running = await openStorage({ filename });
    await register(running, 'running');
    await migrateFurther(filename, 99);
    // As the step of the newer version does.
    openOwn(filename).exec('DELETE FROM romancy_workers');
    await expect(running.runs.commit(batch('running', { starts: [start('one')] }))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    const refused = await register(running, 'again').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SchemaVersionError);
    await expect(openStorage({ filename })).rejects.toThrow('version 99');
  });
});

describe('a storage', () => {
  const calls: readonly { readonly call: string; readonly make: (storage: Storage) => Promise<unknown> }[] = [
    { call: 'get', make: (storage) => storage.instances.get('one') },
    { call: 'commit', make: (storage) => storage.runs.commit(batch('me', {})) },
    { call: 'upkeep', make: (storage) => storage.leases.upkeep(renewal('me', 1)) },
    { call: 'begin', make: (storage) => storage.transactions.begin({ signal: noSignal }) },
  ];
  it.each(calls)('refuses $call before it is open and after it was closed', async ({ make }) => {
    const storage = createSqliteStorage({ filename: await temporaryFile() });
    await expect(make(storage)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await storage.close();
    const opened = await openStorage({ filename: await temporaryFile() });
    await opened.close();
    await expect(make(opened)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  it('can be closed while it opens, and be opened again', async () => {
    const context = { clock: createSystemClock(), logger: recordingLogger() };
    const storage = createSqliteStorage({ filename: await temporaryFile() });
    const opening = storage.open(context);
    await storage.close();
    await expect(opening).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await storage.open(context);
    await register(storage, 'me');
    await storage.close();
    await storage.close();
  });
});
