// Shows that a server starts as asked and that nothing of it is left, however its owner ends.
import { existsSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { afterwards } from './afterwards.js';
import { eventually } from './eventually.js';
import { spawnFixture } from './spawn-fixture.js';
import { startPostgres } from './start-postgres.js';
import { temporaryDirectory } from './temporary.js';

describe('startPostgres', () => {
  it('brings up PostgreSQL 18 with the given settings and removes it', async () => {
    const server = await startPostgres({ settings: { work_mem: '5MB' } });
    afterwards(() => server.stop());
    const folder = await query(server.url, 'show data_directory');
    if (process.env['ROMANCY_TEST_POSTGRES_PROGRAMS'] === undefined)
      expect(await query(server.url, 'show server_version_num')).toMatch(/^18/);
    expect(await query(server.url, 'show fsync')).toBe('off');
    expect(await query(server.url, 'show work_mem')).toBe('5MB');
    expect(existsSync(folder)).toBe(true);
    await server.stop();
    await server.stop();
    expect(existsSync(folder)).toBe(false);
    await expect(query(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('flushes to disk when it is told to be durable', async () => {
    const server = await startPostgres({ durable: true });
    afterwards(() => server.stop());
    expect(await query(server.url, 'show fsync')).toBe('on');
  });

  it('keeps the data in a folder, and finds them there again', async () => {
    const parent = await temporaryDirectory();
    await chmod(parent, 0o711);
    const folder = join(parent, 'kept');
    const first = await startPostgres({ folder });
    afterwards(() => first.stop());
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
    const second = await startPostgres({ folder });
    afterwards(() => second.stop());
    expect(await query(second.url, 'select answer from kept')).toBe('42');
    expect(await query(second.url, 'show data_directory')).toBe(join(folder, 'cluster', 'data'));
  });

  it('takes a folder over from an owner that was killed, also in the middle of making it', async () => {
    const parent = await temporaryDirectory();
    await chmod(parent, 0o711);
    const folder = join(parent, 'kept');
    const ownerFile = new URL('../fixtures/postgres-owner.ts', import.meta.url);
    const early = spawnFixture(ownerFile, [folder]);
    await eventually(() => existsSync(folder), { timeout: 10_000 });
    await early.kill();
    const owner = spawnFixture(ownerFile, [folder]);
    const { url } = await owner.message<{ url: string }>();
    await query(url, 'create table kept as select 42 as answer');
    await owner.kill();
    const server = await startPostgres({ folder });
    afterwards(() => server.stop());
    expect(await query(server.url, 'select answer from kept')).toBe('42');
    expect(await readdir(folder)).toEqual(['cluster']);
  });

  it.each(['fast', 'immediate', 'kill'] as const)(
    'shuts the server down (%s) and starts it again with what was there',
    async (mode) => {
      const server = await startPostgres();
      afterwards(() => server.stop());
      await query(server.url, 'create table kept as select 42 as answer');
      await server.shutDown(mode);
      await expect(query(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
      await server.startAgain();
      expect(await query(server.url, 'select answer from kept')).toBe('42');
      await expect(server.startAgain()).rejects.toThrow('The server runs');
    },
  );

  it.runIf(process.platform === 'linux')('freezes the server, and lets it go on', async () => {
    const server = await startPostgres();
    afterwards(() => server.stop());
    await server.freeze();
    const answered = query(server.url, 'select 42');
    expect(await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 100, 'nothing'))])).toBe('nothing');
    await server.thaw();
    expect(await answered).toBe('42');
    await server.freeze();
  });

  it('says what is wrong when the server cannot start', async () => {
    await expect(startPostgres({ settings: { no_such_setting: '1' } })).rejects.toThrow(/no_such_setting/);
  });

  it('goes, with its data, when the process that started it is killed', async () => {
    const owner = spawnFixture(new URL('../fixtures/postgres-owner.ts', import.meta.url));
    const { url } = await owner.message<{ url: string }>();
    const folder = await query(url, 'show data_directory');
    await owner.kill();
    await eventually(() => !existsSync(folder), { timeout: 10_000 });
    await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });
});

async function query(url: string, text: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<string[]>({ text, rowMode: 'array' });
    return String(rows[0]?.[0]);
  } finally {
    await client.end();
  }
}
