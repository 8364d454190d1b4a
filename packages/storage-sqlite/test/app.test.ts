// An app on SQLite: an activity's rows and its result are one commit, and what runs beside it does not wait for it for ever.
import { defineActivity, defineWorkflow, Romancy } from '@romancy/core';
import { recordingLogger } from '@romancy/core/testing';
import { createSqliteStorage, sqliteTransaction } from '@romancy/storage-sqlite';
import { afterwards, temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

interface Tables {
  orders: { id: string };
}

async function openRows(): Promise<{ readonly filename: string; readonly rows: () => readonly unknown[] }> {
  const filename = await temporaryFile();
  const database = new Database(filename);
  afterwards(() => void database.close());
  database.exec('CREATE TABLE orders (id TEXT PRIMARY KEY)');
  return { filename, rows: () => database.prepare('SELECT id FROM orders ORDER BY id').pluck().all() };
}

async function startApp(options: ConstructorParameters<typeof Romancy>[0]): Promise<Romancy> {
  const romancy = new Romancy({ logger: recordingLogger(), ...options });
  afterwards(() => romancy.stop());
  await romancy.start();
  return romancy;
}

describe('an app on SQLite', () => {
  it('commits what an activity wrote with its result, and nothing of an attempt that failed', async () => {
    const { filename, rows } = await openRows();
    const save = defineActivity(
      'save',
      async (ctx, id: string) => {
        const { db, database } = await sqliteTransaction<Tables>(ctx);
        await db
          .insertInto('orders')
          .values({ id: `${id}, attempt ${ctx.attempt}` })
          .execute();
        if (ctx.attempt === 1) database.exec('INSERT INTO orders VALUES (NULL), (NULL), (nonsense)');
        return ctx.attempt;
      },
      { retry: { maxAttempts: 3, firstDelay: 1 } },
    );
    const order = defineWorkflow('order', async (ctx, id: string) => ctx.run(save, id));
    const romancy = await startApp({ storage: createSqliteStorage({ filename }), workflows: [order] });
    const run = await romancy.startWorkflow(order, 'a');
    expect(await run.result({ timeout: '10s' })).toBe(2);
    expect(rows()).toEqual(['a, attempt 2']);
  });

  it('goes on with a workflow that does other things while an activity of it has its transaction', async () => {
    const { filename, rows } = await openRows();
    const both = defineWorkflow('both', async (ctx) =>
      Promise.all([
        ctx.run('slow', async (activity) => {
          const { database } = await sqliteTransaction(activity);
          database.exec(`INSERT INTO orders VALUES ('slow')`);
          await sleep(50);
          return 'slow';
        }),
        ctx.run('quick', async () => 'quick'),
        ctx.run('also', async (activity) => {
          const { database } = await sqliteTransaction(activity);
          database.exec(`INSERT INTO orders VALUES ('also')`);
          return 'also';
        }),
      ]),
    );
    const romancy = await startApp({ storage: createSqliteStorage({ filename }), workflows: [both] });
    const began = performance.now();
    const run = await romancy.startWorkflow(both, undefined);
    expect(await run.result({ timeout: '20s' })).toEqual(['slow', 'quick', 'also']);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(rows()).toEqual(['also', 'slow']);
  });
});
