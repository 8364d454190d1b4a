// Statements that sessions keep parsed, on a real server and through the driver's own client.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ArrayParameter } from '../src/array-parameter.js';
import { Connection } from '../src/connection.js';
import { isDriverClient, PreparedQuery } from '../src/prepared-query.js';
import type { PostgresClient } from '../src/index.js';

let url: string;
let pool: pg.Pool;

beforeAll(async () => {
  ({ url } = await createDatabase());
  pool = newPool();
});

afterAll(() => pool.end());

/** Ends as quietly as it can: the server may end its session first. */
function newPool(options: pg.PoolConfig = {}): pg.Pool {
  const made = new pg.Pool({ connectionString: url, max: 1, ...options });
  made.on('error', () => undefined);
  return made;
}

/** Letters of what the driver's connection writes: P for a statement to be parsed, D for columns that are asked for. */
function written(client: pg.PoolClient): string[] {
  const letters: string[] = [];
  const { stream } = (client as unknown as { readonly connection: { readonly stream: { write(bytes: Uint8Array): boolean } } })
    .connection;
  const write = stream.write.bind(stream);
  stream.write = (bytes) => {
    letters.push(String.fromCharCode(bytes[0]!));
    return write(bytes);
  };
  return letters;
}

async function connected(deadlineMs = 10_000): Promise<{ readonly client: pg.PoolClient; readonly connection: Connection }> {
  const client = await pool.connect();
  onTestFinished(() => {
    // Where the test has failed before it gave it back: the pool could not end.
    if (pool.totalCount > pool.idleCount) client.release(true);
  });
  return { client, connection: new Connection(client, deadlineMs) };
}

describe('a statement with a name', () => {
  beforeEach(async () => {
    // A session of its own for each test.
    await pool.end();
    pool = newPool();
  });

  it('is parsed once, and its columns are never asked for', async () => {
    const { client, connection } = await connected();
    const letters = written(client);
    const statement = { text: 'SELECT $1::text, $2::int + 1, $3::bool, $4::int[], NULL UNION ALL SELECT $1, 0, $3, $4, NULL' };
    const first = await connection.rows({ ...statement, values: ['ä"\\{}', 41, true, [1, null, 3]] }, 'several');
    const second = await connection.rows({ ...statement, values: [null, 1, false, []] }, 'several');
    connection.release();
    expect(first).toEqual([
      ['ä"\\{}', '42', 't', '{1,NULL,3}', null],
      ['ä"\\{}', '0', 't', '{1,NULL,3}', null],
    ]);
    expect(second).toEqual([
      [null, '2', 'f', '{}', null],
      [null, '0', 'f', '{}', null],
    ]);
    expect(letters).toEqual(['P', 'B', 'E', 'S', 'B', 'E', 'S']);
  });

  it('that is refused rejects with the server’s error, and the connection goes on', async () => {
    const { connection } = await connected();
    const refused = connection.rows({ text: 'SELECT 1 / $1::int', values: [0] }, 'divided');
    await expect(refused).rejects.toMatchObject({ code: '22012' });
    expect(await connection.rows({ text: 'SELECT 1 / $1::int', values: [1] }, 'divided')).toEqual([['1']]);
    // Not even parsed: the next try is to parse it anew.
    const unknown = { text: 'SELECT FROM no_such_table', values: [] };
    for (let time = 0; time < 2; time++) {
      await expect(connection.rows(unknown, 'unknown')).rejects.toMatchObject({ code: '42P01' });
    }
    connection.release();
    expect(pool.totalCount).toBe(1);
  });

  it('that the session does not have any more is refused by name', async () => {
    const { client, connection } = await connected();
    const statement = { text: 'SELECT 7', values: [] };
    await connection.rows(statement, 'gone');
    await client.query('DEALLOCATE ALL');
    await expect(connection.rows(statement, 'gone')).rejects.toMatchObject({ code: '26000' });
    connection.release();
  });

  it('is refused where another one has its name, and nothing is sent', async () => {
    const { client, connection } = await connected();
    await connection.rows({ text: 'SELECT 1', values: [] }, 'taken');
    const letters = written(client);
    await expect(connection.rows({ text: 'SELECT 2', values: [] }, 'taken')).rejects.toThrow(
      'another statement under the name taken',
    );
    expect(letters).toEqual([]);
    connection.release();
  });

  it('with a list that cannot be said in bytes is refused by the server, and the connection goes on', async () => {
    const { connection } = await connected(50);
    const list = ArrayParameter.of([1.5], ['integer', (item) => item]);
    const refused = connection.rows({ text: 'SELECT $1::int[]', values: [list] }, 'listed');
    await expect(refused).rejects.toMatchObject({ code: '22P02' });
    // Behind the time limit of the statement.
    await new Promise((resolve) => setTimeout(resolve, 80));
    const whole = ArrayParameter.of([1, 2], ['integer', (item) => item]);
    expect(await connection.rows({ text: 'SELECT $1::int[]', values: [whole] }, 'listed')).toEqual([['{1,2}']]);
    connection.release();
    expect(pool.totalCount).toBe(1);
  });

  it('without an answer in time rejects, and its connection is not used again', async () => {
    const { connection } = await connected(50);
    await expect(connection.rows({ text: 'SELECT pg_sleep(60)', values: [] }, 'slow')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    connection.release();
    expect(pool.totalCount).toBe(0);
  });

  it('keeps the time limit that the pool has for its queries', async () => {
    await pool.end();
    pool = newPool({ query_timeout: 50 });
    const { connection } = await connected();
    await expect(connection.rows({ text: 'SELECT pg_sleep(60)', values: [] }, 'slow')).rejects.toThrow('Query read timeout');
    connection.release();
    expect(pool.totalCount).toBe(0);
  });

  it('on its way when the session ends rejects, and its connection is not used again', async () => {
    const { connection } = await connected();
    const [row] = await connection.rows({ text: 'SELECT pg_backend_pid()', values: [] }, 'pid');
    const asleep = connection.rows({ text: 'SELECT pg_sleep(60)', values: [] }, 'slow');
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    const ended = expect(asleep).rejects.toMatchObject({ code: '57P01' });
    await other.query('SELECT pg_terminate_backend($1)', [row![0]]);
    await other.end();
    await ended;
    await expect(connection.rows({ text: 'SELECT 1', values: [] }, 'late')).rejects.toThrow(/not queryable|terminated/);
    connection.release();
    expect(pool.totalCount).toBe(0);
  });

  it.for(['at once', 'when the query before it is answered'])(
    'that the driver fails to write, %s, rejects as what passes, and its connection is not used again',
    async (when) => {
      const { client, connection } = await connected();
      const driver = (client as unknown as { readonly connection: { bind: () => void } }).connection;
      driver.bind = () => {
        throw new RangeError('no memory');
      };
      const before = when === 'at once' ? null : client.query('SELECT 1');
      const failed = connection.rows({ text: 'SELECT $1::text', values: ['x'] }, 'unwritten');
      await expect(failed).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', message: expect.stringContaining('no memory') });
      expect((await before)?.rowCount ?? 1).toBe(1);
      connection.release();
      expect(pool.totalCount).toBe(0);
    },
  );

  it('that wants something copied is refused', async () => {
    const { connection } = await connected();
    const copy = connection.rows({ text: 'COPY (SELECT 1) TO STDOUT', values: [] }, 'copied');
    await expect(copy).resolves.toEqual([]);
    await connection.rows({ text: 'CREATE TEMPORARY TABLE copied (n int)', values: [] }, 'created');
    await expect(connection.rows({ text: 'COPY copied FROM STDIN', values: [] }, 'copying')).rejects.toMatchObject({
      code: '57014',
    });
    connection.release();
  });
});

describe('a driver that is watched', () => {
  type Query = (this: unknown, ...all: unknown[]) => unknown;
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const own = prototype.query;
  let handed: unknown[];

  beforeEach(async () => {
    await pool.end();
    pool = newPool();
    handed = [];
  });

  afterEach(() => void (prototype.query = own));

  function watch(by: (query: (given: unknown) => unknown, given: unknown) => unknown): void {
    prototype.query = function (...all) {
      const [given] = all;
      handed.push(given);
      return by((one) => own.apply(this, [one, ...all.slice(1)]), given);
    };
  }

  const prepared = (): number => handed.filter((one) => one instanceof PreparedQuery).length;
  const statement = { text: 'SELECT $1::int, $2::text', values: [1, 'a'] };
  const asked = async (times = 3): Promise<void> => {
    const { connection } = await connected();
    for (let time = 0; time < times; time++) expect(await connection.rows(statement, 'watched')).toEqual([['1', 'a']]);
    await expect(connection.rows({ text: 'SELECT 1 / $1::int', values: [0] }, 'divided')).rejects.toMatchObject({
      code: '22012',
    });
    connection.release();
    expect(pool.totalCount).toBe(1);
  };

  it('by one that calls through is used as otherwise', async () => {
    watch((query, given) => query(given));
    await asked();
    expect(prepared()).toBe(4);
  });

  it('by one that puts its own around what ends a query is used as otherwise, and tells it', async () => {
    const told: unknown[] = [];
    watch((query, given) => {
      const taken = query(given);
      const { callback } = given as PreparedQuery;
      (given as PreparedQuery).callback = (error, rows) => {
        told.push(error === null ? rows : 'refused');
        callback(error, rows);
      };
      return taken;
    });
    await asked(1);
    expect(told).toEqual([[['1', 'a']], 'refused']);
  });

  it.each([
    ['at once', 0],
    ['later', 1],
  ])('by one that hands it on %s and waits for a promise is used as otherwise', async (_when, turns) => {
    watch(async (query, given) => {
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      return await query(given);
    });
    await asked();
    expect(prepared()).toBe(4);
  });

  it.each<[string, (query: (given: unknown) => unknown, given: object) => unknown]>([
    ['copies it', (query, given) => query({ ...given })],
    ['copies it, and waits for a promise', async (query, given) => await query({ ...given })],
    [
      'throws at it',
      () => {
        throw new TypeError('on is not a function');
      },
    ],
    ['refuses it', async () => Promise.reject(new Error('what is that?'))],
  ])('by one that %s gets plain queries from then on, and nothing is done twice', async (_what, by) => {
    watch((query, given) => (given instanceof PreparedQuery ? by(query, given) : query(given)));
    await asked();
    expect(prepared()).toBe(1);
    const { connection } = await connected();
    const counted = { text: 'SELECT nextval($1)', values: ['counted'] };
    await connection.rows({ text: 'CREATE TEMPORARY SEQUENCE counted', values: [] });
    prototype.query = own;
    watch((query, given) => (given instanceof PreparedQuery ? by(query, given) : query(given)));
    expect([await connection.rows(counted, 'counted'), await connection.rows(counted, 'counted')]).toEqual([[['1']], [['2']]]);
    connection.release();
  });

  it('by one that throws when it is on its way has it answered all the same', async () => {
    watch((query, given) => {
      const taken = query(given);
      if (given instanceof PreparedQuery) throw new TypeError('then is not a function');
      return taken;
    });
    await asked();
    expect(prepared()).toBe(4);
  });

  it.each<[string, (query: (given: unknown) => unknown, given: PreparedQuery) => unknown]>([
    ['a copy, with the callback', (query, { text, values, callback }) => query({ text, values, callback })],
    ['a copy', (query, { text, values }) => query({ text, values })],
  ])('by one that has %s of its own done says so at once, since it must not be done twice', async (_what, by) => {
    watch((query, given) => (given instanceof PreparedQuery ? by(query, given) : query(given)));
    const { connection } = await connected();
    await expect(connection.rows(statement, 'watched')).rejects.toThrow('had a copy of a statement done');
    connection.release();
    expect(pool.totalCount).toBe(0);
    await asked();
  });

  it('leaves whoever asks in his own context', async () => {
    const context = new AsyncLocalStorage<string>();
    const { connection } = await context.run('who connects', connected);
    const seen = await Promise.all(
      ['one', 'other'].map((name) =>
        context.run(name, async () => {
          const before = connection.rows(statement, 'watched');
          await before;
          const later = await before.then(() => context.getStore());
          return [context.getStore(), later];
        }),
      ),
    );
    connection.release();
    expect(seen).toEqual([
      ['one', 'one'],
      ['other', 'other'],
    ]);
  });
});

describe('a client', () => {
  it('of the driver is told in messages', async () => {
    const client = await pool.connect();
    expect(isDriverClient(client)).toBe(true);
    client.release();
  });

  it('whose query somebody has replaced gets a query and answers with a promise', async () => {
    const { client, connection } = await connected();
    const sent: unknown[] = [];
    const query = client.query.bind(client) as unknown as (...all: unknown[]) => Promise<unknown>;
    const replaced = async (...all: unknown[]): Promise<unknown> => {
      sent.push(all[0]);
      return query(...all);
    };
    Object.assign(client, { query: replaced });
    expect(isDriverClient(client)).toBe(false);
    expect(await connection.rows({ text: 'SELECT $1::int', values: [1] }, 'replaced')).toEqual([['1']]);
    expect(sent).toMatchObject([{ name: 'replaced', text: 'SELECT $1::int', values: [1] }]);
    connection.spoil(new Error('it was changed'));
    connection.release();
  });

  it('that is seen through something else, or is none of the driver’s, likewise', async () => {
    const client = await pool.connect();
    const seen = new Proxy(client, {
      get: (target, member): unknown => (member === 'query' ? () => undefined : Reflect.get(target, member, target)),
    });
    expect(isDriverClient(seen)).toBe(false);
    client.release();
    const other: PostgresClient = { query: async () => ({ rows: [], command: '' }), release() {}, on() {}, removeListener() {} };
    expect(isDriverClient(other)).toBe(false);
  });

  it('that is none of the driver’s is given lists as text, whatever it makes of objects', async () => {
    const sent: unknown[] = [];
    const other: PostgresClient = {
      query: async ({ values }) => {
        sent.push(values);
        return { rows: [], command: '' };
      },
      release() {},
      on() {},
      removeListener() {},
    };
    const lists = [
      ArrayParameter.of(['a', null, 'b"c'], ['text', (item) => item]),
      ArrayParameter.of([true], ['boolean', (item) => item]),
    ];
    await new Connection(other, 10_000).rows({ text: 'SELECT $1::text[], $2::boolean[]', values: lists }, 'lists');
    expect(sent).toEqual([['{"a",null,"b\\"c"}', '{true}']]);
  });

  it('that sends ahead of the answers gets plain queries, since it takes none that send themselves', async () => {
    const ahead = new pg.Client({ connectionString: url, pipeline: true });
    await ahead.connect();
    const client = Object.assign(ahead, { release: () => undefined });
    expect(isDriverClient(client)).toBe(false);
    expect(await new Connection(client, 10_000).rows({ text: 'SELECT $1::int', values: [1] }, 'ahead')).toEqual([['1']]);
    await ahead.end();
  });
});
