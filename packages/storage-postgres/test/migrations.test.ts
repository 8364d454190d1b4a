// The schema comes up once, by whoever is first, and versions of the package live side by side or say why not.
import { compileFixture, createDatabase, spawnFixture } from '@romancy/test-support';
import pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import { createPostgresStorage, migratePostgres } from '../src/index.js';
import { migrations, schemaVersion } from '../src/migrations.js';
import { openStorage, registered } from './open-storage.js';
import { context } from './storage-context.js';
import { watchedPool } from './watched-pool.js';
import { batch, newEntry, newInstance } from './worker-calls.js';

let url: string;

beforeEach(async () => {
  ({ url } = await createDatabase());
});

async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** As a later version of the package would leave it. */
function applyLater(requires: number): Promise<unknown> {
  return query(`INSERT INTO romancy.migrations VALUES ($1, 'later', $2, now())`, [schemaVersion + 1, requires]);
}

describe('an empty database', () => {
  it('is set up once by ten processes at once, and none works before it is ready', { timeout: 60_000 }, async () => {
    const names = Array.from({ length: 10 }, (_, index) => `process-${index}`);
    const opener = await compileFixture(new URL('./fixtures/first-opener.ts', import.meta.url));
    const processes = names.map((name) => spawnFixture(opener, [url, name]));
    await Promise.all(processes.map((process) => process.message((message) => 'ready' in message, { timeout: 50_000 })));
    for (const process of processes) process.send({ go: true });
    const said = await Promise.all(processes.map((process) => process.message((message) => !('ready' in message))));
    expect(said).toEqual(names.map((name) => ({ claimed: [`by ${name}`] })));
    expect(await Promise.all(processes.map((process) => process.exited))).toEqual(names.map(() => ({ code: 0, signal: null })));
    expect(await query('SELECT version FROM romancy.migrations')).toEqual(migrations.map(({ version }) => ({ version })));
  });

  it('is set up by ten pools of one process', async () => {
    await Promise.all(Array.from({ length: 10 }, () => openStorage({ connectionString: url, maxConnections: 3 })));
    expect(await query('SELECT version FROM romancy.migrations')).toHaveLength(migrations.length);
  });

  it('is set up whole or not at all', async () => {
    const watched = watchedPool(url);
    watched.intercept(async ({ text }, send) => {
      const result = await send();
      if (text.includes('"seen_events" (')) throw Object.assign(new Error('permission denied'), { code: '42501' });
      return result;
    });
    await expect(createPostgresStorage({ pool: watched.pool }).open(context)).rejects.toMatchObject({ code: '42501' });
    expect(await query(`SELECT to_regnamespace('romancy') IS NULL AS gone`)).toEqual([{ gone: true }]);
    watched.intercept(undefined);
    await registered(await openStorage({ pool: watched.pool }), 'worker');
  });

  it('takes any schema name, beside others', async () => {
    for (const schema of ['a', 'A', 'with "quotes" and spaces', 'sélect', 'select']) {
      const storage = await openStorage({ connectionString: url, maxConnections: 3, schema });
      await registered(storage, 'worker');
      expect(storage.description).toMatch(/^PostgreSQL at 127\.0\.0\.1:\d+\/romancy_test_\w+, schema /);
    }
    expect(await query(`SELECT count(*)::int AS n FROM pg_tables WHERE tablename = 'workers'`)).toEqual([{ n: 5 }]);
  });
});

describe('a database that is set up', () => {
  beforeEach(() => openStorage({ connectionString: url }));

  it('is opened without a lock and without writing', async () => {
    const watched = watchedPool(url);
    await openStorage({ pool: watched.pool, migrate: false });
    expect(watched.statements.join('\n')).not.toMatch(/advisory|BEGIN|CREATE/);
  });

  it('is opened by a role that may create nothing', async () => {
    const role = `reader_${Math.random().toString(36).slice(2)}`;
    await query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    await query(`GRANT USAGE ON SCHEMA romancy TO ${role}`);
    await query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA romancy TO ${role}`);
    const limited = new URL(url);
    limited.username = role;
    limited.password = 'x';
    const storage = await openStorage({ connectionString: limited.href, migrate: false });
    const worker = await registered(storage, 'worker');
    expect(storage.description).not.toContain(role);
    // Numbers of mail, queues and events come from sequences, to which it has no right of its own.
    const entry = { instanceId: 'one', seq: 1 };
    const event = { eventId: 'e', stream: 's', type: 'done', source: '/test', data: '1' };
    await storage.runs.commit(
      batch(worker, {
        starts: [newInstance('one')],
        entries: [newEntry('one', 1)],
        effects: [{ ...entry, type: 'event', event }],
      }),
    );
    expect((await storage.outbox.claim({ workerId: worker, limit: 1 })).events).toMatchObject([event]);
    const message = { messageId: 'm', source: '/test', data: '1', starts: null };
    await storage.messages.deliver({ ...message, topic: 'channel:jobs', to: { type: 'subscribers' } });
    await storage.messages.deliver({ ...message, messageId: 'n', topic: 'x', to: { type: 'instance', instanceId: 'one' } });
    await storage.close();
    await query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('is used side by side with a later version that allows it', async () => {
    await applyLater(schemaVersion);
    await registered(await openStorage({ connectionString: url }), 'older');
  });

  it('is refused when a later version does not allow it', async () => {
    await applyLater(schemaVersion + 1);
    await expect(createPostgresStorage({ connectionString: url }).open(context)).rejects.toMatchObject({
      code: 'SCHEMA_VERSION',
      message: expect.stringContaining('newer version'),
    });
  });

  it('refuses the return of an older worker, once a later version has changed the schema under it', async () => {
    const storage = await openStorage({ connectionString: url });
    await registered(storage, 'first');
    await applyLater(schemaVersion + 1);
    await expect(registered(storage, 'second')).rejects.toMatchObject({ code: 'SCHEMA_VERSION' });
    expect(await query('SELECT worker_id FROM romancy.workers')).toEqual([{ worker_id: 'first' }]);
  });
});

describe('migratePostgres', () => {
  it('sets up for apps that may not, any number of times', async () => {
    await Promise.all([migratePostgres({ connectionString: url }), migratePostgres({ connectionString: url, migrate: false })]);
    await migratePostgres({ connectionString: url });
    await registered(await openStorage({ connectionString: url, migrate: false }), 'worker');
  });
});

it('takes a schema of any name', async () => {
  const storage = await openStorage({ connectionString: url, schema: `it's "$body$" \\ $1` });
  const worker = await registered(storage, 'worker');
  await storage.runs.commit({
    workerId: worker,
    starts: [{ instanceId: 'one', workflowName: 'order', input: '{}', startToken: 'token', owned: true }],
    entries: [],
    effects: [],
    subscriptions: [],
    takenMail: [],
    settlements: [],
  });
  expect((await storage.instances.get('one'))?.owner).toBe(worker);
});

describe('migrate: false', () => {
  it('creates nothing and says what is missing', async () => {
    const storage = createPostgresStorage({ connectionString: url, migrate: false });
    await expect(storage.open(context)).rejects.toMatchObject({
      code: 'SCHEMA_VERSION',
      message: expect.stringContaining('1 (initial)'),
    });
    expect(await query(`SELECT to_regnamespace('romancy') IS NULL AS gone`)).toEqual([{ gone: true }]);
  });
});

describe('a server on which the statements would not mean what they are meant to', () => {
  it('is refused: another isolation level by default', async () => {
    const name = new URL(url).pathname.slice(1);
    await query(`ALTER DATABASE ${name} SET default_transaction_isolation TO 'repeatable read'`);
    await expect(createPostgresStorage({ connectionString: url }).open(context)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      option: 'default_transaction_isolation',
    });
  });

  it('is refused: another encoding', async () => {
    const name = `${new URL(url).pathname.slice(1)}_latin`;
    await query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`);
    const other = new URL(url);
    other.pathname = `/${name}`;
    await expect(createPostgresStorage({ connectionString: other.href }).open(context)).rejects.toMatchObject({
      option: 'server_encoding',
    });
    await query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
});
