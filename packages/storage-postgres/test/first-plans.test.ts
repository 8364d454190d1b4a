// Sessions keep the plans that they make first, when a table holds next to nothing: a row must be found by its key even then.
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { openStorage } from './open-storage.js';

// As in the functions of the schema (function-settings.ts).
const settings = [
  'plan_cache_mode = force_generic_plan',
  'enable_seqscan = off',
  'enable_bitmapscan = off',
  'enable_mergejoin = off',
];
/** The shape of what settles runs, and of what reads a claimed row again. */
const byKey = `EXPLAIN UPDATE romancy.instances i SET status = ('{c,c}'::text[])[x.place], owner = NULL
  FROM unnest('{a,b}'::text[]) WITH ORDINALITY AS x (instance, place)
  WHERE i.instance_id = ANY(ARRAY[x.instance]) AND (i.owner = 'w') IS TRUE AND i.claims = ('{1,1}'::int[])[x.place]`;

it('an instance is found by its primary key on a new table, on an empty one that was analyzed, and on a nearly empty one', async () => {
  const { url } = await createDatabase();
  const storage = await openStorage({ connectionString: url });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const setting of settings) await client.query(`SET ${setting}`);
    const plan = async (): Promise<string> => {
      const { rows } = await client.query<{ readonly 'QUERY PLAN': string }>(byKey);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const plans = [await plan()];
    await client.query('VACUUM ANALYZE romancy.instances');
    plans.push(await plan());
    await client.query(
      `INSERT INTO romancy.instances (instance_id, workflow_name, status, start_token, input, created_at)
       SELECT i, 'order', 'completed', i, '{}', now() FROM generate_series(1, 50) AS i`,
    );
    await client.query('VACUUM ANALYZE romancy.instances');
    plans.push(await plan());
    for (const each of plans)
      expect(each).toMatch(/Nested Loop[^]*Function Scan on unnest x[^]*Index Scan using instances_pkey on instances i/);
  } finally {
    await client.end();
    await storage.close();
  }
});
