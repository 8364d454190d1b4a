// Shows that the demo brings every order to its end on SQLite, whatever dies meanwhile, and that its own checks are right.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnFixture, temporaryDirectory } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDataFolder } from '../src/data-folder.js';
import type { Order } from '../src/order.js';
import { compileDemo, days, endOf, ordersFile, source, table, timeout, untilItSays } from './demo.js';

let main: string;

beforeAll(async () => {
  main = await compileDemo();
});

describe('from the beginning to the end', () => {
  let args: readonly string[];
  let input: string;
  let databases: string;
  let first: string;

  // Each of the tests below looks at what is left by the ones before.
  beforeAll(async () => {
    const folder = await temporaryDirectory();
    input = await ordersFile(folder, 40);
    await writeFile(input, `${await readFile(input, 'utf8')}\n{"id":"bad","quantity":-1}\nnothing`);
    args = ['--input', input, '--data', join(folder, 'data')];
    databases = join(folder, 'data', 'sqlite');
    first = await endOf(spawnFixture(main, args));
  }, timeout);

  /** Without trusting the demo's own checks. */
  function rows(file: 'orders' | 'payments' | 'parcels', statement: string): unknown[] {
    const database = new Database(join(databases, `${file}.db`), { readonly: true });
    try {
      return database.prepare(statement).pluck().all();
    } finally {
      database.close();
    }
  }

  const shipped = (): unknown[] => rows('orders', `select order_id from reservations where state = 'shipped' order by order_id`);

  it('brings every order to its end though a worker is killed, and leaves bad lines out', () => {
    expect(first).toContain('orders.jsonl, line 41 is left out: customer is missing');
    expect(first).toContain('line 42 is left out: nothing is no JSON');
    expect(first).toContain('40 orders from');
    expect(first).toMatch(/worker 1 was killed \(SIGKILL\) with \d+ orders in its hands/);
    expect(first).toMatch(/worker 2 is process \d+/);
    expect(first).toMatch(/40 of 40 orders: /);
    expect(first.match(/✓/g)).toHaveLength(6);
    expect(first).toMatch(/All is well, after \d+\.\d s\.\n\n\[0\]$/);
  });

  it('loses no piece of the stock, and charges each order once, by the key of its one activity', () => {
    const lost = `select sku from stock where initial <> available + (select coalesce(sum(quantity), 0) from reservations
      where reservations.sku = stock.sku and state = 'shipped')`;
    expect(rows('orders', lost)).toEqual([]);
    expect(rows('orders', `select distinct state from reservations order by state`)).toEqual(['released', 'shipped']);
    const paid = `select order_id from charges where state = 'settled' and id not in (select payment_id from refunds) order by order_id`;
    expect(rows('payments', paid)).toEqual(shipped());
    expect(rows('payments', `select key from charges where key <> 'order-' || order_id || '/charge:1'`)).toEqual([]);
  });

  it('gives the whole price back, once, of each order of more than four pieces whose card is good', async () => {
    const heavy = (await readFile(input, 'utf8'))
      .split('\n')
      .slice(0, 40)
      .map((line) => JSON.parse(line) as Order)
      .filter(({ quantity, card }) => quantity > 4 && !/(0002|9995|0341)$/.test(card))
      .map(({ id }) => id);
    expect(heavy.length).toBeGreaterThan(0);
    const refunded = `select order_id from charges join refunds on payment_id = charges.id and refunds.amount = charges.amount order by order_id`;
    expect(rows('payments', refunded)).toEqual(heavy.toSorted());
    expect(rows('payments', `select count(*) from refunds`)).toEqual([heavy.length]);
  });

  it('announces each shipped order by one event, and has it in one report', () => {
    expect(rows('parcels', `select order_id from notices where type = 'order.shipped' order by order_id`)).toEqual(shipped());
    expect(rows('orders', `select sum(orders) from reports`)).toEqual([shipped().length]);
    expect(rows('orders', `select count(*) from reservations where day not in (select day from reports)`)).toEqual([0]);
  });

  it('finds nothing to do when it is started again, and says the same of it', { timeout }, async () => {
    const again = await endOf(spawnFixture(main, args));
    expect(again).toContain('All of them came to their end in an earlier start');
    expect(again).not.toContain('is process');
    expect(table(again)).toBe(table(first));
    expect(days(again)).toBe(days(first));
    expect(again).toMatch(/\[0\]$/);
  });

  it('objects when a piece of the stock is gone', { timeout }, async () => {
    const tampered = new Database(join(databases, 'orders.db'));
    tampered.exec(`update stock set available = available - 1 where sku = 'teapot'`);
    tampered.close();
    expect(await endOf(spawnFixture(main, args))).toMatch(/✗ the stock adds up.*No:\n +teapot: 200 at the start(.|\n)*\[1\]$/);
  });

  it('begins anew when it is asked to, and goes on when somebody else kills its worker', { timeout }, async () => {
    const demo = spawnFixture(main, [...args, '--fresh', '--no-kill', '--seed', '2']);
    await untilItSays(demo, '4 of 40 orders');
    process.kill(Number(/worker 1 is process (\d+)/.exec(demo.output)?.[1]), 'SIGKILL');
    const fresh = await endOf(demo);
    expect(fresh).not.toContain('was killed');
    expect(fresh).toContain('worker 1 has ended, and nobody knows why');
    expect(fresh).toMatch(/worker 2 is process \d+/);
    expect(fresh).toContain('40 of 40 orders: ');
    expect(table(fresh)).toBe(table(first));
    expect(fresh).toMatch(/\[0\]$/);
  });
});

describe('interrupted', () => {
  it(
    'goes on after Ctrl-C where it was',
    async () => {
      const folder = await temporaryDirectory();
      const input = await ordersFile(folder, 60);
      const args = ['--input', input, '--data', join(folder, 'data')];

      const first = spawnFixture(main, args);
      await untilItSays(first, '12 of 60 orders');
      first.kill('SIGINT').catch(() => undefined);
      const stopped = await endOf(first);
      const done = Number(/Stopping: (\d+) of 60 orders have come to their end\. The same command/.exec(stopped)?.[1]);
      expect(done).toBeLessThan(60);
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
      const args = ['--input', await ordersFile(folder, 60), '--data', join(folder, 'data')];
      const first = spawnFixture(main, args);
      await untilItSays(first, '24 of 60 orders');
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
