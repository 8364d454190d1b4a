// A schema that another test has had is as good as a new one, and a pool of shared sessions is as small as it says.
import pg from 'pg';
import { expect, it } from 'vitest';
import { shareDatabase } from './share-database.js';

const database = shareDatabase();

it('hands a schema on without rows, numbers and statistics of the one before, and keeps its sessions', async () => {
  const before = database.schemas.take();
  const table = `${pg.escapeIdentifier(before.name)}.things`;
  const session = await before.pool(1).connect();
  await session.query(
    `CREATE SCHEMA ${pg.escapeIdentifier(before.name)}; CREATE TABLE ${table} (id int GENERATED ALWAYS AS IDENTITY)`,
  );
  await session.query(`INSERT INTO ${table} SELECT FROM generate_series(1, 100); ANALYZE ${table}`);
  const pid = await pidOf(session);
  session.release();
  await before.giveBack();

  const after = database.schemas.take();
  expect(after.name).toBe(before.name);
  const other = await after.pool(1).connect();
  expect(await pidOf(other)).toBe(pid);
  const { rows: counted } = await other.query<{ reltuples: number }>(`SELECT reltuples FROM pg_class WHERE relname = 'things'`);
  const { rows: inserted } = await other.query(`INSERT INTO ${table} DEFAULT VALUES RETURNING id`);
  const { rows: found } = await other.query(`SELECT id FROM ${table}`);
  other.release();
  await after.giveBack();
  // Minus one since version 14: never counted.
  expect(counted[0]!.reltuples).toBeLessThanOrEqual(0);
  expect([inserted, found]).toEqual([[{ id: 1 }], [{ id: 1 }]]);
});

it('gives nobody else a schema that is to be untouched, nor one that somebody has', async () => {
  const names = [database.schemas.take(), database.schemas.take({ untouched: true }), database.schemas.take()].map(
    ({ name }) => name,
  );
  expect(new Set(names).size).toBe(3);
});

it('lets whoever wants one more than the pool has wait until one is back, and the schema be given back only then', async () => {
  const schema = database.schemas.take();
  const pool = schema.pool(2);
  const [first, second] = [await pool.connect(), await pool.connect()];
  const order: string[] = [];
  const third = pool.connect().then((client) => (order.push('third'), client));
  // Another pool does not wait for this one.
  (await schema.pool(1).connect()).release();
  const givenBack = schema.giveBack().then(() => order.push('given back'));
  order.push('first');
  first.release();
  (await third).release();
  order.push('second');
  second.release();
  await givenBack;
  expect(order).toEqual(['first', 'third', 'second', 'given back']);
});

async function pidOf(client: pg.PoolClient): Promise<number> {
  return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;
}
