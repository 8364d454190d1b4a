// Shows that the demo brings every order to its end on PostgreSQL, and how soon they go on there.
import { chmod, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createDatabase, findPostgresBinaries, spawnFixture, temporaryDirectory } from '@romancy/test-support';
import pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { compileDemo, endOf, ordersFile, source, table, timeout } from './demo.js';

let main: string;

beforeAll(async () => {
  main = await compileDemo();
});

it(
  'brings every order to its end with two workers, one of which is killed',
  async () => {
    const folder = await temporaryDirectory();
    const { url } = await createDatabase();
    const args = ['--input', await ordersFile(folder, 40), '--data', join(folder, 'data'), '--postgres', url, '--measure', '0'];
    const first = await endOf(spawnFixture(main, args));
    expect(first).toMatch(/database: PostgreSQL.*, with @romancy\/notify-pg\n/);
    // A server that trusts everybody needs none.
    const { password } = new URL(url);
    if (password !== '') expect(first).not.toContain(password);
    expect(first).toMatch(/worker 1 is process \d+/);
    expect(first).toMatch(/worker 2 is process \d+/);
    expect(first).toMatch(/worker 1 was killed \(SIGKILL\) with \d+ orders in its hands/);
    expect(first.match(/✓/g)).toHaveLength(6);
    expect(first).not.toContain('How soon');
    expect(first).toMatch(/\[0\]$/);

    const again = await endOf(spawnFixture(main, args));
    expect(again).toContain('All of them came to their end in an earlier start');
    expect(table(again)).toBe(table(first));

    const fresh = await endOf(spawnFixture(main, [...args, '--fresh', '--no-kill']));
    expect(fresh).toContain('40 of 40 orders: ');
    expect(table(fresh)).toBe(table(first));
  },
  timeout,
);

it(
  'shows how soon an order goes on after its settlement, with notes and without, and leaves nothing of that behind',
  { timeout },
  async () => {
    const folder = await temporaryDirectory();
    const { url } = await createDatabase();
    const data = join(folder, 'data');
    const args = ['--input', await ordersFile(folder, 10), '--data', data, '--postgres', url, '--no-kill', '--measure', '20'];
    const output = await endOf(spawnFixture(main, args));
    const [withNotes, byPolling] = [times(output, 'with @romancy/notify-pg'), times(output, 'by polling, once a second')];
    expect([withNotes.orders, byPolling.orders]).toEqual([20, 20]);
    // Those that poll wait for up to a second on top of whatever a busy machine takes, which has no bound; without a note those with a notifier would
    // wait for half a minute.
    expect(withNotes.p50).toBeLessThan(byPolling.p99);
    expect(withNotes.p50).toBeLessThanOrEqual(withNotes.p99);
    expect(byPolling.p50).toBeLessThanOrEqual(byPolling.p99);
    expect(output).not.toContain('the notifier was not healthy');
    expect(output).toContain('✓ the same holds for these orders: final states, stock, charges, events');
    expect(output.match(/✓/g)).toHaveLength(7);
    expect(output).toMatch(/\[0\]$/);

    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(`select nspname as name from pg_namespace where nspname like 'romancy%'`);
    await client.end();
    expect(rows).toEqual([{ name: 'romancy_orders' }]);
    expect((await readdir(data, { recursive: true })).filter((name) => name.includes('measured'))).toEqual([]);
  },
);

it(
  'brings a server along where there is none, and finds its data there again',
  async () => {
    const folder = await temporaryDirectory();
    await chmod(folder, 0o711); // PostgreSQL does not run as root, and its user has to get at the data
    const args = ['--input', await ordersFile(folder, 10), '--data', folder, '--postgres', '--no-kill', '--measure', '0'];
    const env = { ROMANCY_TEST_POSTGRES_PROGRAMS: dirname((await findPostgresBinaries()).postgres) };
    const first = await endOf(spawnFixture(main, args, env));
    expect(first).toMatch(/database: PostgreSQL, a server of its own on 127\.0\.0\.1:\d+/);
    expect(first).toMatch(/\[0\]$/);
    const again = await endOf(spawnFixture(main, args, env));
    expect(again).toContain('All of them came to their end in an earlier start');
    expect(table(again)).toBe(table(first));
  },
  timeout,
);

it('says what is wrong when there is none', async () => {
  const folder = await temporaryDirectory();
  const args = ['--data', folder, '--postgres', 'postgres://nobody:secret@127.0.0.1:1/nowhere'];
  expect(await endOf(spawnFixture(source('main'), args))).toBe(
    'The database 127.0.0.1:1/nowhere cannot be used: connect ECONNREFUSED 127.0.0.1:1\n\n[2]',
  );
});

/** A line of percentiles, in milliseconds. */
function times(output: string, name: string): { readonly orders: number; readonly p50: number; readonly p99: number } {
  const line = output.split('\n').find((one) => one.includes(name) && one.endsWith(' ms')) ?? '';
  const [orders, p50, p99] = [...line.slice(line.indexOf(name) + name.length).matchAll(/[\d.]+/g)].map(Number);
  return { orders: orders ?? Number.NaN, p50: p50 ?? Number.NaN, p99: p99 ?? Number.NaN };
}
