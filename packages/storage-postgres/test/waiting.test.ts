// What waits holds nothing in the database: no connection, no transaction, no lock, however it came to wait.
import { defineWorkflow, Romancy, silentLogger, type InstanceStatus } from '@romancy/core';
import { createPostgresStorage, postgresTransaction } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';

const waiting = defineWorkflow('waiting', async (ctx, how: string) => {
  await ctx.run(
    'write',
    async (activity) => {
      const { client } = await postgresTransaction(activity);
      await client.query('INSERT INTO rows VALUES ($1)', [`${ctx.instanceId} ${activity.attempt}`]);
      if (how === 'retry') throw new Error('later');
    },
    { retry: { firstDelay: '1h', maxDelay: '1h' } },
  );
  if (how === 'timer') await ctx.sleep('1h');
  else await ctx.waitEvent('never', { timeout: '1h' });
});

it('a thousand sleeps, waits and retries have no connection, no transaction and no lock', { timeout: 60_000 }, async () => {
  const { url } = await createDatabase();
  const pool = new pg.Pool({ connectionString: url, max: 6, application_name: 'watched' });
  const outside = new pg.Client({ connectionString: url });
  await outside.connect();
  await outside.query('CREATE TABLE rows (id text)');
  const romancy = new Romancy({
    storage: createPostgresStorage({ pool }),
    workflows: [waiting],
    logger: silentLogger,
    // Nobody asks while the test looks.
    workflowPollInterval: '1h',
    timerPollInterval: '1h',
    channelTimeoutInterval: '1h',
    leaseDuration: '10h',
  });
  afterwards(async () => {
    await romancy.stop();
    // It does not wait for its sessions to end, and the database that goes behind it may end them first.
    await pool.on('error', () => undefined).end();
    await outside.end();
  });
  await romancy.start();
  const hows = ['timer', 'event', 'retry'] as const;
  await Promise.all(Array.from({ length: 999 }, (_, index) => romancy.startWorkflow(waiting, hows[index % 3]!)));
  const countOf = async (status: InstanceStatus): Promise<number> =>
    (await romancy.list({ status, limit: 1000 })).instances.length;
  await eventually(
    async () => (await Promise.all(hows.map((how) => countOf(`waiting_for_${how}`)))).every((count) => count === 333),
    { timeout: 30_000, interval: 50 },
  );
  expect(romancy.status().running).toBe(0);
  expect(pool.idleCount).toBe(pool.totalCount);
  expect(pool.waitingCount).toBe(0);
  const { rows } = await outside.query<{ state: string; locks: string }>(
    `SELECT state, (SELECT count(*) FROM pg_locks WHERE pg_locks.pid = activity.pid) AS locks
       FROM pg_stat_activity activity WHERE application_name = 'watched' AND (state <> 'idle' OR xact_start IS NOT NULL)`,
  );
  expect(rows).toEqual([]);
  const owned = await outside.query('SELECT 1 FROM romancy.instances WHERE owner IS NOT NULL');
  expect(owned.rows).toEqual([]);
  // What the attempts that failed had written is gone.
  expect((await outside.query('SELECT 1 FROM rows')).rows).toHaveLength(666);
});
