// The stock in SQLite, in the same file as the workflows.
import { sqliteTransaction } from '@romancy/storage-sqlite';
import Database from 'better-sqlite3';
import { catalogue } from './catalogue.js';
import type { Article, DayReport, Reservation, Stock } from './stock.js';

const schema = `
  create table if not exists stock (
    sku text primary key, price integer not null, initial integer not null, available integer not null check (available >= 0)
  );
  create table if not exists reservations (
    order_id text primary key, sku text not null references stock, quantity integer not null, state text not null,
    day integer
  );
  create table if not exists reports (
    day integer primary key, orders integer not null, pieces integer not null, amount integer not null
  );
`;

export function createSqliteStock(filename: string): Stock {
  // For looking, and for the tables. What activities write goes through their own transactions.
  const db = new Database(filename);
  return {
    async prepare() {
      db.pragma('journal_mode = wal');
      db.exec(schema);
      const insert = db.prepare(`insert into stock (sku, price, initial, available) values (?, ?, ?, ?) on conflict do nothing`);
      db.transaction(() => {
        for (const { sku, price, pieces } of catalogue) insert.run(sku, price, pieces, pieces);
      })();
    },

    async find(sku) {
      return db.prepare(`select * from stock where sku = ?`).get(sku) as Article | undefined;
    },

    async reserve(ctx, { id, sku, quantity }) {
      const { database } = await sqliteTransaction(ctx);
      const taken = database
        .prepare(`update stock set available = available - :quantity where sku = :sku and available >= :quantity`)
        .run({ sku, quantity });
      if (taken.changes === 0) return false;
      database
        .prepare(`insert into reservations (order_id, sku, quantity, state) values (?, ?, ?, 'held')`)
        .run(id, sku, quantity);
      return true;
    },

    async release(ctx, { id, sku, quantity }) {
      const { database } = await sqliteTransaction(ctx);
      database.prepare(`update reservations set state = 'released' where order_id = ?`).run(id);
      database.prepare(`update stock set available = available + ? where sku = ?`).run(quantity, sku);
    },

    async ship(ctx, { id }) {
      const { database } = await sqliteTransaction(ctx);
      database.prepare(`update reservations set state = 'shipped' where order_id = ?`).run(id);
    },

    async closeDay(ctx, day) {
      const { database } = await sqliteTransaction(ctx);
      database.prepare(`update reservations set day = ? where state = 'shipped' and day is null`).run(day);
      database
        .prepare(
          `insert into reports (day, orders, pieces, amount)
           select ?, count(*), coalesce(sum(quantity), 0), coalesce(sum(quantity * price), 0)
           from reservations join stock using (sku) where day = ?`,
        )
        .run(day, day);
    },

    async articles() {
      return db.prepare(`select * from stock order by sku`).all() as Article[];
    },

    async reservations() {
      return db.prepare(`select order_id as orderId, sku, quantity, state, day from reservations`).all() as Reservation[];
    },

    async reports() {
      return db.prepare(`select * from reports order by day`).all() as DayReport[];
    },

    async close() {
      db.close();
    },
  };
}
