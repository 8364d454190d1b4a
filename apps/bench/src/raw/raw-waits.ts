// Waiting for an event by hand: a row per wait, a note after the commit, a claim by whoever hears it.
import type pg from 'pg';

export interface RawWaits {
  readonly schema: string;
  readonly channel: string;
}

/** Makes the table, with rows that wait. @returns their ids. */
export async function makeWaits(client: pg.Client, { schema }: RawWaits, count: number): Promise<string[]> {
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS ${schema};
    CREATE TABLE IF NOT EXISTS ${schema}.waits (id text PRIMARY KEY, event json, claimed_at timestamptz)`);
  const { rows } = await client.query<{ readonly id: string }>(
    `INSERT INTO ${schema}.waits (id) SELECT gen_random_uuid() FROM generate_series(1, $1) RETURNING id`,
    [count],
  );
  return rows.map(({ id }) => id);
}

/** Keeps the event, in one commit. */
export async function keepEvent(client: pg.Client, { schema }: RawWaits, id: string): Promise<void> {
  await client.query({ name: 'keep_event', text: `UPDATE ${schema}.waits SET event = '{}' WHERE id = $1`, values: [id] });
}

/** Tells who listens. */
export async function tellOfEvent(client: pg.Client, { channel }: RawWaits, id: string): Promise<void> {
  await client.query({ name: 'tell', text: 'SELECT pg_notify($1, $2)', values: [channel, id] });
}

/** In one commit. @returns whether it was there to be claimed. */
export async function claimWait(client: pg.Client, { schema }: RawWaits, id: string): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'claim',
    text: `UPDATE ${schema}.waits SET claimed_at = now()
      WHERE id = $1 AND event IS NOT NULL AND claimed_at IS NULL RETURNING event`,
    values: [id],
  });
  return rowCount === 1;
}
