// What a process with 1,000 waiting instances and nothing to do asks of the server: counted statement by statement, for a minute.
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { createPgNotifier } from '../src/index.js';

const minuteMs = 60_000;

it('is at most one transaction in five seconds', { timeout: 3 * minuteMs }, async () => {
  const { url: connectionString } = await createDatabase();
  const sent: string[] = [];
  let lastSentAt = 0;
  const counted = (client: pg.Client): pg.Client => {
    const query = client.query.bind(client) as (...args: readonly unknown[]) => unknown;
    const counting = (...args: readonly unknown[]): unknown => {
      const [statement] = args as [string | { readonly text?: string }];
      lastSentAt = performance.now();
      sent.push(typeof statement === 'string' ? statement : (statement.text ?? ''));
      return query(...args);
    };
    return Object.assign(client, { query: counting });
  };
  const pool = new pg.Pool({ connectionString, max: 5 });
  pool.on('connect', (client) => void counted(client as unknown as pg.Client));
  afterwards(() => pool.on('error', () => undefined).end());
  const waiting = defineWorkflow('waiting', async (ctx) => void (await ctx.waitEvent('never', { timeout: '30d' })));
  const romancy = new Romancy({
    storage: createPostgresStorage({ pool }),
    notifier: createPgNotifier({
      connect: async () => {
        const client = new pg.Client({ connectionString });
        await client.connect();
        return counted(client);
      },
    }),
    workflows: [waiting],
    concurrency: 2000,
    logger: silentLogger,
  });
  afterwards(() => romancy.stop());
  await romancy.start();
  await Promise.all(Array.from({ length: 1000 }, () => romancy.startWorkflow(waiting)));
  await eventually(() => romancy.status().running === 0 && romancy.status().notifier?.state === 'healthy');
  // The parks' own timers are armed, the first upkeeps are over: nothing has been asked for two seconds.
  await eventually(() => performance.now() - lastSentAt > 2000, { timeout: 30_000 });
  sent.length = 0;
  // How much is asked in a minute is what is measured.
  await new Promise((resolve) => setTimeout(resolve, minuteMs));
  const kinds = new Map<string, number>();
  for (const text of sent) kinds.set(text.trim().slice(0, 40), (kinds.get(text.trim().slice(0, 40)) ?? 0) + 1);
  expect(sent.length / 60, JSON.stringify([...kinds])).toBeLessThanOrEqual(0.2 + 1 / 60);
  expect(romancy.status()).toMatchObject({ notifier: { state: 'healthy', foundByPoll: 0 } });
});
