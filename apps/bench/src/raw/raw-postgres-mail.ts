// A queue and mailboxes by hand on PostgreSQL: one statement, one round trip, one commit per message and side.
import type { RawMail } from './raw-mail.js';
import { openRawPool, type RawPoolOptions } from './raw-pool.js';

/** Opens a pool and makes the tables in a schema of their own. */
export async function openRawPostgresMail(options: RawPoolOptions): Promise<RawMail> {
  const { schema } = options;
  const tables = `
    CREATE TABLE ${schema}.queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data json NOT NULL);
    CREATE TABLE ${schema}.mail (
      receiver text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, data json NOT NULL, PRIMARY KEY (receiver, id)
    );
    CREATE TABLE ${schema}.received (
      receiver text NOT NULL, seq integer NOT NULL, data json NOT NULL, recorded_at timestamptz NOT NULL, PRIMARY KEY (receiver, seq)
    );
  `;
  const pool = await openRawPool(options, tables);
  const query = async (name: string, text: string, values: readonly unknown[]): Promise<string | undefined> => {
    const { rows } = await pool.query<{ readonly data: string }>({ name, text, values: [...values] });
    return rows[0]?.data;
  };
  return {
    async enqueue(data) {
      await query('enqueue', `INSERT INTO ${schema}.queue (data) VALUES ($1)`, [data]);
    },
    take: (receiver, seq) =>
      query(
        'take',
        `WITH taken AS (
            DELETE FROM ${schema}.queue WHERE id = (SELECT id FROM ${schema}.queue ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING data
          )
          INSERT INTO ${schema}.received (receiver, seq, data, recorded_at) SELECT $1, $2, data, now() FROM taken RETURNING data::text AS data`,
        [receiver, seq],
      ),
    async fanOut(receivers, data) {
      await query('fan_out', `INSERT INTO ${schema}.mail (receiver, data) SELECT r, $2 FROM unnest($1::text[]) AS r`, [
        receivers,
        data,
      ]);
    },
    receive: (receiver, seq) =>
      query(
        'receive',
        `WITH taken AS (
            DELETE FROM ${schema}.mail WHERE receiver = $1 AND id = (SELECT min(id) FROM ${schema}.mail WHERE receiver = $1) RETURNING data
          )
          INSERT INTO ${schema}.received (receiver, seq, data, recorded_at) SELECT $1, $2, data, now() FROM taken RETURNING data::text AS data`,
        [receiver, seq],
      ),
    close: () => pool.end(),
  };
}
