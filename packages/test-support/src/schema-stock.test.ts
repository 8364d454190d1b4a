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

it('hands a session on with what it keeps parsed, and with nothing that it was set to, has locked or listens to', async () => {
  const before = database.schemas.take();
  const session = await before.pool(1).connect();
  const pid = await pidOf(session);
  await session.query({ name: 'kept', text: 'SELECT 1' });
  const usual = await stateOf(session);
  await session.query(`SET lock_timeout = '1h'; SET search_path = nowhere; SELECT pg_advisory_lock(42); LISTEN news; CREATE TEMP TABLE own ();
    SET ROLE pg_monitor`);
  expect(await stateOf(session)).toEqual({
    ...usual,
    ...{ lock_timeout: '1h', search_path: 'nowhere', role: 'pg_monitor', locks: '1', channels: ['news'], own: 'own' },
  });
  session.release();
  // The same test has it as it left it.
  const again = await before.pool(1).connect();
  expect(await stateOf(again)).toMatchObject({ lock_timeout: '1h', locks: '1' });
  again.release();
  await before.giveBack();

  const after = database.schemas.take();
  const other = await after.pool(1).connect();
  const [found, kept] = [await pidOf(other), await other.query(`SELECT FROM pg_prepared_statements WHERE name = 'kept'`)];
  expect([found, kept.rowCount]).toEqual([pid, 1]);
  expect(await stateOf(other)).toEqual(usual);
  other.release();
  await after.giveBack();
});

it.each(['SELECT 1', 'SELECT 1 / 0'])('ends the transaction that a session was left in behind %s', async (last) => {
  const before = database.schemas.take();
  const left = await before.pool(1).connect();
  const pid = await pidOf(left);
  await left.query('BEGIN');
  await left.query(last).catch(() => undefined);
  left.release();
  await before.giveBack();

  const after = database.schemas.take();
  const other = await after.pool(1).connect();
  expect(await pidOf(other)).toBe(pid);
  const { rows } = await database.client.query('SELECT state FROM pg_stat_activity WHERE pid = $1', [pid]);
  expect(rows).toEqual([{ state: 'idle' }]);
  other.release();
  await after.giveBack();
});

it('gives out another session for one that was lost', async () => {
  const before = database.schemas.take();
  const lost = await before.pool(1).connect();
  const pid = await pidOf(lost);
  const gone = new Promise((resolve) => lost.once('end', resolve));
  lost.release();
  await before.giveBack();
  await database.client.query('SELECT pg_terminate_backend($1)', [pid]);
  await gone;

  const after = database.schemas.take();
  const other = await after.pool(1).connect();
  expect(await pidOf(other)).not.toBe(pid);
  other.release();
  await after.giveBack();
});

it('leaves the session that empties schemas as it was', async () => {
  const schema = database.schemas.take();
  await database.client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema.name)};
    CREATE TABLE ${pg.escapeIdentifier(schema.name)}.emptied AS SELECT 1`);
  await schema.giveBack();
  expect((await database.client.query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '0' }]);
});

it('gives nobody a schema that somebody else has', async () => {
  const names = [database.schemas.take(), database.schemas.take({ untouched: true }), database.schemas.take()].map(
    ({ name }) => name,
  );
  expect(new Set(names).size).toBe(3);
});

it('gives as untouched none that anybody had, drops it afterwards, and gives it to nobody else', async () => {
  const had = database.schemas.take();
  await had.giveBack();
  const untouched = database.schemas.take({ untouched: true });
  expect(untouched.name).not.toBe(had.name);
  await database.client.query(`CREATE SCHEMA ${pg.escapeIdentifier(untouched.name)}`);
  await untouched.giveBack();
  const { rowCount } = await database.client.query('SELECT FROM pg_namespace WHERE nspname = $1', [untouched.name]);
  expect([rowCount, database.schemas.take().name]).toEqual([0, had.name]);
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

/** What one who had the session before could have left in it. */
async function stateOf(client: pg.PoolClient): Promise<Record<string, unknown>> {
  const { rows } = await client.query<Record<string, unknown>>(`SELECT
    current_setting('lock_timeout') AS lock_timeout, current_setting('search_path') AS search_path,
    current_setting('application_name') AS application_name, current_user AS role,
    (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks,
    (SELECT array_agg(c) FROM pg_listening_channels() AS c) AS channels, to_regclass('pg_temp.own')::text AS own`);
  return rows[0]!;
}
