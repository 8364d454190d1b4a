// Runs the whole demo as its users do: as a process with a command line, that starts others and kills one of them.
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  compileFixture,
  createDatabase,
  eventually,
  spawnFixture,
  temporaryDirectory,
  type FixtureProcess,
} from '@romancy/test-support';
import Database from 'better-sqlite3';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDataFolder } from '../src/data-folder.js';
import type { Order } from '../src/order.js';

const timeout = 120_000;
const source = (name: string): URL => new URL(`../src/${name}.ts`, import.meta.url);
let main: string;

// Each of a dozen demos starts four processes or so; compiling the sources in each would take most of the time. The sample and the server
// that the demo brings along are found beside the sources only.
beforeAll(async () => {
  main = await compileFixture(source('main'), {
    beside: [source('worker'), source('payment-service'), source('parcel-service')],
  });
});

/** So many orders of the sample, in a file of their own. */
async function ordersFile(folder: string, count: number): Promise<string> {
  const sample = await readFile(new URL('../sample/orders.jsonl', import.meta.url), 'utf8');
  const file = join(folder, 'orders.jsonl');
  await writeFile(file, sample.split('\n').slice(0, count).join('\n'));
  return file;
}

async function untilItSays(demo: FixtureProcess, words: string): Promise<void> {
  await eventually(() => demo.output.includes(words), { timeout: 60_000 });
}

async function endOf(demo: FixtureProcess): Promise<string> {
  const { code } = await demo.exited;
  return `${demo.output}\n[${code}]`;
}

describe('on SQLite', () => {
  it(
    'brings every order to its end though a worker is killed, and leaves bad lines out',
    async () => {
      const folder = await temporaryDirectory();
      const input = await ordersFile(folder, 40);
      await writeFile(input, `${await readFile(input, 'utf8')}\n{"id":"bad","quantity":-1}\nnothing`);
      const args = ['--input', input, '--data', join(folder, 'data')];

      const first = await endOf(spawnFixture(main, args));
      expect(first).toContain('orders.jsonl, line 41 is left out: customer is missing');
      expect(first).toContain('line 42 is left out: nothing is no JSON');
      expect(first).toContain('40 orders from');
      expect(first).toMatch(/worker 1 was killed \(SIGKILL\) with \d+ orders in its hands/);
      expect(first).toMatch(/worker 2 is process \d+/);
      expect(first).toMatch(/40 of 40 orders: /);
      expect(first.match(/✓/g)).toHaveLength(6);
      expect(first).toMatch(/All is well, after \d+\.\d s\.\n\n\[0\]$/);

      // Without trusting the demo's own checks: the stock, and one charge per order, each with the key of its one activity.
      const orders = new Database(join(folder, 'data', 'sqlite', 'orders.db'), { readonly: true });
      const payments = new Database(join(folder, 'data', 'sqlite', 'payments.db'), { readonly: true });
      expect(
        orders
          .prepare(
            `select sku from stock where initial <> available + (select coalesce(sum(quantity), 0) from reservations
             where reservations.sku = stock.sku and state = 'shipped')`,
          )
          .all(),
      ).toEqual([]);
      expect(orders.prepare(`select distinct state from reservations order by state`).pluck().all()).toEqual([
        'released',
        'shipped',
      ]);
      const shipped = orders.prepare(`select order_id from reservations where state = 'shipped' order by order_id`).pluck().all();
      const paid = payments
        .prepare(
          `select order_id from charges where state = 'settled' and id not in (select payment_id from refunds) order by order_id`,
        )
        .pluck()
        .all();
      expect(paid).toEqual(shipped);
      expect(payments.prepare(`select key from charges where key <> 'order-' || order_id || '/charge:1'`).all()).toEqual([]);

      // Each order of more than four pieces whose card is good was paid, and got all of it back once.
      const heavy = (await readFile(input, 'utf8'))
        .split('\n')
        .slice(0, 40)
        .map((line) => JSON.parse(line) as Order)
        .filter(({ quantity, card }) => quantity > 4 && !/(0002|9995|0341)$/.test(card))
        .map(({ id }) => id);
      expect(heavy.length).toBeGreaterThan(0);
      expect(
        payments
          .prepare(
            `select order_id from charges join refunds on payment_id = charges.id and refunds.amount = charges.amount order by order_id`,
          )
          .pluck()
          .all(),
      ).toEqual(heavy.toSorted());
      expect(payments.prepare(`select count(*) from refunds`).pluck().get()).toBe(heavy.length);

      // One event for each shipped order, as the parcel service knows them by their ids, and one report.
      const parcels = new Database(join(folder, 'data', 'sqlite', 'parcels.db'), { readonly: true });
      const announced = parcels.prepare(`select order_id from notices where type = 'order.shipped' order by order_id`);
      expect(announced.pluck().all()).toEqual(shipped);
      parcels.close();
      expect(orders.prepare(`select sum(orders) from reports`).pluck().get()).toBe(shipped.length);
      expect(orders.prepare(`select count(*) from reservations where day not in (select day from reports)`).pluck().get()).toBe(
        0,
      );
      orders.close();
      payments.close();

      const again = await endOf(spawnFixture(main, args));
      expect(again).toContain('All of them came to their end in an earlier start');
      expect(again).not.toContain('is process');
      expect(table(again)).toBe(table(first));
      expect(days(again)).toBe(days(first));
      expect(again).toMatch(/\[0\]$/);

      const tampered = new Database(join(folder, 'data', 'sqlite', 'orders.db'));
      tampered.exec(`update stock set available = available - 1 where sku = 'teapot'`);
      tampered.close();
      expect(await endOf(spawnFixture(main, args))).toMatch(/✗ the stock adds up.*No:\n +teapot: 200 at the start(.|\n)*\[1\]$/);

      const stubborn = spawnFixture(main, [...args, '--fresh', '--no-kill', '--seed', '2']);
      await untilItSays(stubborn, '4 of 40 orders');
      process.kill(Number(/worker 1 is process (\d+)/.exec(stubborn.output)?.[1]), 'SIGKILL');
      const fresh = await endOf(stubborn);
      expect(fresh).not.toContain('was killed');
      expect(fresh).toContain('worker 1 has ended, and nobody knows why');
      expect(fresh).toMatch(/worker 2 is process \d+/);
      expect(fresh).toContain('40 of 40 orders: ');
      expect(table(fresh)).toBe(table(first));
      expect(fresh).toMatch(/\[0\]$/);
    },
    timeout,
  );

  it(
    'goes on after Ctrl-C where it was',
    async () => {
      const folder = await temporaryDirectory();
      const input = await ordersFile(folder, 100);
      const args = ['--input', input, '--data', join(folder, 'data')];

      const first = spawnFixture(main, args);
      await untilItSays(first, '10 of 100 orders');
      first.kill('SIGINT').catch(() => undefined);
      const stopped = await endOf(first);
      const done = Number(/Stopping: (\d+) of 100 orders have come to their end\. The same command/.exec(stopped)?.[1]);
      expect(done).toBeLessThan(100);
      expect(stopped).toMatch(/Stopped\.\n\n\[130\]$/);

      const second = await endOf(spawnFixture(main, args));
      const before = Number(/Going on: (\d+) came to their end/.exec(second)?.[1]);
      expect(before).toBeGreaterThanOrEqual(done);
      expect(second.match(/✓/g)).toHaveLength(6);
      expect(second).toMatch(/\[0\]$/);
    },
    timeout,
  );

  it(
    'goes on after its own death where it was',
    async () => {
      const folder = await temporaryDirectory();
      const args = ['--input', await ordersFile(folder, 100), '--data', join(folder, 'data')];
      const first = spawnFixture(main, args);
      await untilItSays(first, '40 of 100 orders');
      await first.kill('SIGKILL');
      const second = await endOf(spawnFixture(main, args));
      expect(second).toContain('Going on: ');
      expect(second.match(/✓/g)).toHaveLength(6);
      expect(second).toMatch(/\[0\]$/);
    },
    timeout,
  );

  it(
    'sends the last events and writes the last report after its own death, when there is no order left',
    async () => {
      const folder = await temporaryDirectory();
      const args = ['--input', await ordersFile(folder, 20), '--data', join(folder, 'data'), '--no-kill'];
      const first = spawnFixture(main, args);
      await untilItSays(first, '20 of 20 orders');
      await first.kill('SIGKILL');
      const second = await endOf(spawnFixture(main, args));
      expect(second).toContain('All of them came to their end in an earlier start');
      expect(second.match(/✓/g)).toHaveLength(6);
      expect(second).toMatch(/\[0\]$/);
    },
    timeout,
  );

  it('lets nobody else into its folder while it is at work', async () => {
    const folder = await temporaryDirectory();
    const held = await openDataFolder(join(folder, 'sqlite'));
    const end = await endOf(spawnFixture(source('main'), ['--data', folder, '--fresh']));
    held.close();
    expect(end).toMatch(/^Another demo is at work in .*\n\n\[2\]$/);
  });
});

describe('on PostgreSQL', () => {
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
    // What else the machine does is not its subject.
    { timeout, retry: 2 },
    async () => {
      const folder = await temporaryDirectory();
      const { url } = await createDatabase();
      const data = join(folder, 'data');
      const args = ['--input', await ordersFile(folder, 10), '--data', data, '--postgres', url, '--no-kill', '--measure', '100'];
      const output = await endOf(spawnFixture(main, args));
      const [withNotes, byPolling] = [times(output, 'with @romancy/notify-pg'), times(output, 'by polling, once a second')];
      expect([withNotes.orders, byPolling.orders]).toEqual([100, 100]);
      // Half of those that poll wait for longer than this; with notes that is a matter of a loaded machine only.
      expect(withNotes.p50).toBeLessThan(byPolling.p50);
      expect(withNotes.p50).toBeLessThan(500);
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
      const first = await endOf(spawnFixture(source('main'), args));
      expect(first).toMatch(/database: PostgreSQL, a server of its own on 127\.0\.0\.1:\d+/);
      expect(first).toMatch(/\[0\]$/);
      const again = await endOf(spawnFixture(source('main'), args));
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
});

function table(output: string): string | undefined {
  return /final state[^]*?all .*\n/.exec(output)?.[0];
}

function days(output: string): string | undefined {
  return / day +shipped[^]*?\n\n/.exec(output)?.[0];
}

/** A line of percentiles, in milliseconds. */
function times(output: string, name: string): { readonly orders: number; readonly p50: number; readonly p99: number } {
  const line = output.split('\n').find((one) => one.includes(name) && one.endsWith(' ms')) ?? '';
  const [orders, p50, p99] = [...line.slice(line.indexOf(name) + name.length).matchAll(/[\d.]+/g)].map(Number);
  return { orders: orders ?? Number.NaN, p50: p50 ?? Number.NaN, p99: p99 ?? Number.NaN };
}
