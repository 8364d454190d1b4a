// A transaction of an activity waits for a commit, that for a connection, and who has all connections for a row of the transaction.
import { defineWorkflow, Romancy } from '@romancy/core';
import { recordingLogger } from '@romancy/core/testing';
import { createPostgresStorage, postgresTransaction } from '@romancy/storage-postgres';
import { afterwards, createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';

it(
  'others who have all connections of a pool and wait for a row of an activity get it, and the activity is done once',
  { timeout: 40_000 },
  async () => {
    const { url } = await createDatabase();
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    const looker = new pg.Client({ connectionString: url });
    await looker.connect();
    await looker.query(
      `CREATE TABLE counters (id text PRIMARY KEY, count integer NOT NULL); INSERT INTO counters VALUES ('hot', 0)`,
    );
    let [locked, goOn] = [(): void => undefined, (): void => undefined];
    const isLocked = new Promise<void>((resolve) => (locked = resolve));
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    const attempts: number[] = [];
    const workflow = defineWorkflow('hot row', async (ctx) => {
      const pay = ctx.run(
        'pay',
        async (activity) => {
          attempts.push(activity.attempt);
          const { client } = await postgresTransaction(activity);
          await client.query(`UPDATE counters SET count = count + 100 WHERE id = 'hot'`);
          locked();
          await mayGoOn;
          // The step beside it is to be recorded before.
          await new Promise((resolve) => setTimeout(resolve, 50));
        },
        { retry: { maxAttempts: 1 } },
      );
      await ctx.run('beside', () => mayGoOn);
      await pay;
    });
    const logger = recordingLogger();
    const romancy = new Romancy({ storage: createPostgresStorage({ pool }), workflows: [workflow], logger });
    afterwards(async () => {
      await romancy.stop({ timeout: '1s' });
      await pool.on('error', () => undefined).end();
      await looker.end();
    });
    await romancy.start();
    const handle = await romancy.startWorkflow(workflow);
    await isLocked;
    const others = Array.from({ length: 3 }, () => pool.query(`UPDATE counters SET count = count + 1 WHERE id = 'hot'`));
    await lockWaits(looker, 3);
    goOn();
    await Promise.all(others);
    await handle.result({ timeout: '20s' });
    const { rows } = await looker.query(`SELECT count FROM counters`);
    expect(rows).toEqual([{ count: 103 }]);
    expect(attempts).toEqual([1, 1]);
    expect(logger.at('error')).toEqual([]);
  },
);
