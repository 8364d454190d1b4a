// What waits holds nothing in the file: no connection, no transaction, no lock, however it came to wait.
import { defineWorkflow, Romancy, silentLogger, type InstanceStatus } from '@romancy/core';
import { createSqliteStorage, sqliteTransaction } from '@romancy/storage-sqlite';
import { afterwards, eventually, temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';

const waiting = defineWorkflow('waiting', async (ctx, how: string) => {
  await ctx.run(
    'write',
    async (activity) => {
      const { database } = await sqliteTransaction(activity);
      database.prepare('INSERT INTO rows VALUES (?)').run(`${ctx.instanceId} ${activity.attempt}`);
      if (how === 'retry') throw new Error('later');
    },
    { retry: { firstDelay: '1h', maxDelay: '1h' } },
  );
  if (how === 'timer') await ctx.sleep('1h');
  else await ctx.waitEvent('never', { timeout: '1h' });
});

it('sleeps, waits and retries have no connection of their own, no transaction and no lock', { timeout: 60_000 }, async () => {
  const filename = await temporaryFile();
  const outside = new Database(filename, { timeout: 0 });
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE rows (id TEXT)');
  const connections = new Set<Database.Database>();
  const romancy = new Romancy({
    storage: createSqliteStorage({ filename, synchronous: 'normal', onConnection: (database) => void connections.add(database) }),
    workflows: [waiting],
    logger: silentLogger,
    leaseDuration: '10h',
  });
  afterwards(async () => {
    await romancy.stop();
    outside.close();
  });
  await romancy.start();
  const hows = ['timer', 'event', 'retry'] as const;
  await Promise.all(Array.from({ length: 150 }, (_, index) => romancy.startWorkflow(waiting, hows[index % 3]!)));
  const countOf = async (status: InstanceStatus): Promise<number> =>
    (await romancy.list({ status, limit: 1000 })).instances.length;
  await eventually(async () =>
    (await Promise.all(hows.map((how) => countOf(`waiting_for_${how}`)))).every((count) => count === 50),
  );
  // The rows say so a moment before those who wrote them have heard of it.
  await eventually(() => romancy.status().running === 0);
  // Those of the storage itself, and none of the hundred and fifty that activities had.
  const open = [...connections].filter((database) => database.open);
  expect(open.length).toBeLessThanOrEqual(2);
  expect(open.filter((database) => database.inTransaction)).toEqual([]);
  // At once, without waiting for anybody.
  outside.exec('BEGIN IMMEDIATE; ROLLBACK');
  expect(outside.prepare('SELECT count(*) FROM rows').pluck().get()).toBe(100);
  expect(outside.prepare('SELECT count(*) FROM romancy_instances WHERE owner IS NOT NULL').pluck().get()).toBe(0);
});
