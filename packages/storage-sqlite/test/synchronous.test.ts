// What survives a power failure is decided by settings of every connection that writes: they are what the options say.
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createSqliteStorage, sqliteTransaction, type SqliteStorageOptions } from '@romancy/storage-sqlite';
import { afterwards, temporaryFile } from '@romancy/test-support';
import type { Database } from 'better-sqlite3';
import { expect, it } from 'vitest';

/** The settings of the main connection and of that of an activity's transaction, while an app is at work. */
async function settingsInUse(options: Partial<SqliteStorageOptions>): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const connections: Database[] = [];
  const seen: Record<string, unknown>[] = [];
  const look = (database: Database): void => {
    const setting = (name: string): unknown => database.pragma(name, { simple: true });
    seen.push({ journal: setting('journal_mode'), synchronous: setting('synchronous'), busy: setting('busy_timeout') });
  };
  const writing = defineWorkflow('writing', (ctx) =>
    ctx.run('write', async (activity) => look((await sqliteTransaction(activity)).database)),
  );
  const romancy = new Romancy({
    storage: createSqliteStorage({
      filename: await temporaryFile(),
      // What the user's own set-up leaves behind does not count.
      onConnection(database) {
        connections.push(database);
        database.pragma('synchronous = OFF');
      },
      ...options,
    } as SqliteStorageOptions),
    workflows: [writing],
    logger: silentLogger,
  });
  await romancy.start();
  afterwards(() => romancy.stop());
  await (await romancy.startWorkflow(writing)).result();
  look(connections[0]!);
  expect(connections).toHaveLength(2);
  return seen;
}

it.each([
  ['by default, all that was committed', {}, 2],
  ['with `full`, all that was committed', { synchronous: 'full' }, 2],
  ['with `normal`, the file', { synchronous: 'normal' }, 1],
] as const)(
  '%s is flushed to the disk, by the main connection and by those of activities',
  async (_what, options, synchronous) => {
    const expected = { journal: 'wal', synchronous, busy: 0 };
    expect(await settingsInUse(options)).toEqual([expected, expected]);
  },
);
