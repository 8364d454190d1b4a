// The stock in PostgreSQL, in the same schema as the workflows.
import { postgresTransaction } from '@romancy/storage-postgres';
import pg from 'pg';
import { catalogue } from './catalogue.js';
import type { Article, DayReport, Reservation, Stock } from './stock.js';

/** @param schema a plain name: it is put into the statements as it is. */
export function createPostgresStock(connectionString: string, schema: string): Stock {
  // For looking, and for the tables. What activities write goes through their own transactions.
  const pool = new pg.Pool({ connectionString, max: 4 });
  // When a connection breaks, the query on it says so, and the next one takes another. Without listeners it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    async prepare() {
      await pool.query(`
        create schema if not exists ${schema};
        create table if not exists ${schema}.stock (
          sku text primary key, price integer not null, initial integer not null, available integer not null check (available >= 0)
        );
        create table if not exists ${schema}.reservations (
          order_id text primary key, sku text not null references ${schema}.stock, quantity integer not null, state text not null,
          day integer
        );
        create table if not exists ${schema}.reports (
          day integer primary key, orders integer not null, pieces integer not null, amount integer not null
        );`);
      await pool.query(
        `insert into ${schema}.stock (sku, price, initial, available)
         select sku, price, pieces, pieces from json_to_recordset($1) as article (sku text, price integer, pieces integer)
         on conflict do nothing`,
        [JSON.stringify(catalogue)],
      );
    },

    async find(sku) {
      const { rows } = await pool.query<Article>(`select * from ${schema}.stock where sku = $1`, [sku]);
      return rows[0];
    },

    async reserve(ctx, { id, sku, quantity }) {
      const { client } = await postgresTransaction(ctx);
      const taken = await client.query(
        `update ${schema}.stock set available = available - $2 where sku = $1 and available >= $2`,
        [sku, quantity],
      );
      if (taken.rowCount === 0) return false;
      await client.query(`insert into ${schema}.reservations (order_id, sku, quantity, state) values ($1, $2, $3, 'held')`, [
        id,
        sku,
        quantity,
      ]);
      return true;
    },

    async release(ctx, { id, sku, quantity }) {
      const { client } = await postgresTransaction(ctx);
      await client.query(`update ${schema}.reservations set state = 'released' where order_id = $1`, [id]);
      await client.query(`update ${schema}.stock set available = available + $2 where sku = $1`, [sku, quantity]);
    },

    async ship(ctx, { id }) {
      const { client } = await postgresTransaction(ctx);
      await client.query(`update ${schema}.reservations set state = 'shipped' where order_id = $1`, [id]);
    },

    async closeDay(ctx, day) {
      const { client } = await postgresTransaction(ctx);
      // What is shipped at this moment, and is not committed yet, belongs to the next day.
      await client.query(`update ${schema}.reservations set day = $1 where state = 'shipped' and day is null`, [day]);
      await client.query(
        `insert into ${schema}.reports (day, orders, pieces, amount)
         select $1::integer, count(*), coalesce(sum(quantity), 0), coalesce(sum(quantity * price), 0)
         from ${schema}.reservations join ${schema}.stock using (sku) where day = $1`,
        [day],
      );
    },

    async articles() {
      return (await pool.query<Article>(`select * from ${schema}.stock order by sku`)).rows;
    },

    async reservations() {
      const sql = `select order_id as "orderId", sku, quantity, state, day from ${schema}.reservations`;
      return (await pool.query<Reservation>(sql)).rows;
    },

    async reports() {
      return (await pool.query<DayReport>(`select * from ${schema}.reports order by day`)).rows;
    },

    async close() {
      await pool.end();
    },
  };
}
