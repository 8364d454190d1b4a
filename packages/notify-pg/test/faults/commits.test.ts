// What is committed is told, what is not committed never, and telling holds up nobody's commit.
import { defineActivity, defineWorkflow } from '@romancy/core';
import { postgresTransaction } from '@romancy/storage-postgres';
import { createDatabase, eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { watchingClient } from '../watching-client.js';
import { openLedger } from './ledger.js';
import { healthyApp } from './start-app.js';

const contract = ['workflow_resumable', 'timer_expired', 'channel_message', 'outbox_pending'].map((kind) => `romancy_${kind}`);

it('tells nothing of what was rolled back, of a savepoint, or of a commit that failed', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  await ledger.query('CREATE TABLE checked (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
  const watching = await watchingClient(url);
  await watching.listen(...contract);
  const attempts: string[] = [];
  const stumble = defineActivity(
    'stumble',
    async (ctx, how: string) => {
      const { client } = await postgresTransaction(ctx);
      attempts.push(how);
      if (how === 'savepoint') {
        await client.query('SAVEPOINT s');
        await client.query('INSERT INTO checked VALUES (0)');
        await client.query('ROLLBACK TO SAVEPOINT s');
      } else {
        await client.query('INSERT INTO checked VALUES (1)');
        if (how === 'failed commit') await client.query('INSERT INTO checked VALUES (1)');
        else throw new Error('rolled back');
      }
    },
    { retry: { maxAttempts: 1 } },
  );
  const stumbling = defineWorkflow('stumbling', async (ctx, how: string) => {
    await ctx.run(stumble, how).catch(() => undefined);
  });
  const { romancy } = await healthyApp({ url, workflows: [stumbling] });
  const ways = ['rolled back', 'savepoint', 'failed commit'];
  for (const how of ways) {
    const run = await romancy.startWorkflow(stumbling, how, { instanceId: how });
    await run.result();
  }
  expect(attempts).toEqual(ways);
  expect(await ledger.query('SELECT FROM checked')).toEqual([]);
  await watching.notify('romancy_outbox_pending', { event_id: 'last' });
  await eventually(() => watching.notes.some(({ payload }) => payload?.includes('last')));
  // The starts were committed, each once. The attempts changed nothing that anybody waits for.
  const told = watching.notes.filter(({ payload }) => payload?.includes('last') !== true).map(({ payload }) => payload);
  expect(new Set(told).size).toBe(told.length);
  for (const payload of told) expect(ways).toContain((JSON.parse(payload!) as { instance_id: string }).instance_id);
  expect(told.length).toBeLessThanOrEqual(ways.length);
});

it('lets none of 64 sessions of storages wait for, or hold, the lock under which notes are committed', async () => {
  const { url } = await createDatabase();
  const ledger = await openLedger(url);
  const watching = await watchingClient(url);
  const apps = await Promise.all(Array.from({ length: 4 }, () => healthyApp({ url, maxConnections: 16 })));
  const seen: unknown[] = [];
  let looks = 0;
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      const { rows } = await watching.client.query<object>(
        `SELECT a.application_name, l.granted FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
         WHERE l.locktype = 'object' AND l.database = 0 AND l.classid = 1262 AND l.objid = 0
           AND a.datname = current_database() AND a.application_name NOT LIKE '%:sending'`,
      );
      seen.push(...rows);
      looks++;
    }
  })();
  await Promise.all(apps.map(({ romancy }) => ledger.start(romancy, 150, { pauseMs: 1 })));
  await ledger.complete();
  isOver = true;
  await looking;
  expect(looks).toBeGreaterThan(20);
  expect(seen).toEqual([]);
});
