// What is committed is told, what is not committed never, and telling holds up nobody's commit.
import { defineActivity, defineWorkflow } from '@romancy/core';
import { postgresTransaction } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually, startPostgres } from '@romancy/test-support';
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

it('lets none of 64 sessions of storages wait for the lock under which notes are committed: all is done while somebody holds it', async () => {
  // A commit that waits for a standby which never comes holds its locks meanwhile; only who asks for that waits so.
  const settings = { synchronous_standby_names: 'nobody', synchronous_commit: 'local', max_connections: '200' };
  const server = await startPostgres({ settings });
  afterwards(() => server.stop());
  const { url } = server;
  const ledger = await openLedger(url);
  const apps = await Promise.all(Array.from({ length: 4 }, () => healthyApp({ url, maxConnections: 16 })));
  const [watching, holding] = [await watchingClient(url), await watchingClient(url)];
  await holding.client.query('SET synchronous_commit = on');
  const pid = (await holding.client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;
  const letGo = async (): Promise<void> => void (await watching.client.query('SELECT pg_cancel_backend($1)', [pid]));
  // Whoever waits for it all the same could not even be stopped.
  afterwards(letGo);
  const committed = holding.client.query(`BEGIN; CREATE TABLE held (); SELECT pg_notify('held', ''); COMMIT`);
  committed.catch(() => undefined);
  const holders = async (): Promise<unknown[]> => {
    const { rows } = await watching.client.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'object' AND database = 0 AND classid = 1262 AND objid = 0 AND granted`,
    );
    return rows;
  };
  await eventually(async () => (await holders()).length === 1);
  await Promise.all(apps.map(({ romancy }) => ledger.start(romancy, 150, { pauseMs: 1 })));
  await ledger.complete();
  expect(await holders()).toEqual([{ pid }]);
  await letGo();
  await committed;
});
