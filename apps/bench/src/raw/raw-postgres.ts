// Durable code by hand on PostgreSQL: one statement, one round trip, one commit per step.
import type pg from 'pg';
import { openRawPool, type RawPoolOptions } from './raw-pool.js';
import type { RawStep, RawStore } from './raw-store.js';

/** Opens a pool and makes the tables in a schema of their own. */
export async function openRawPostgres(options: RawPoolOptions): Promise<RawStore> {
  const { schema } = options;
  const tables = `
    CREATE TABLE IF NOT EXISTS ${schema}.instances (
      instance_id text PRIMARY KEY, workflow_name text NOT NULL, status text NOT NULL, input json NOT NULL, output json,
      created_at timestamptz NOT NULL, finished_at timestamptz
    );
    CREATE TABLE IF NOT EXISTS ${schema}.steps (
      instance_id text NOT NULL, seq integer NOT NULL, name text NOT NULL, data json NOT NULL, recorded_at timestamptz NOT NULL,
      PRIMARY KEY (instance_id, seq)
    );
    CREATE TABLE IF NOT EXISTS ${schema}.timers (instance_id text PRIMARY KEY, due_at timestamptz NOT NULL, fired_at timestamptz);
  `;
  const pool = await openRawPool(options, tables);
  return new RawPostgres(pool, schema);
}

class RawPostgres implements RawStore {
  readonly #pool: pg.Pool;
  readonly #schema: string;

  constructor(pool: pg.Pool, schema: string) {
    this.#pool = pool;
    this.#schema = schema;
  }

  async start(instanceId: string, input: string): Promise<void> {
    await this.#pool.query({
      name: 'start',
      text: `INSERT INTO ${this.#schema}.instances (instance_id, workflow_name, status, input, created_at)
        VALUES ($1, $2, 'running', $3, now())`,
      values: [instanceId, 'bench_order', input],
    });
  }

  async step({ instanceId, seq, name, data }: RawStep): Promise<void> {
    await this.#pool.query({
      name: 'step',
      text: `INSERT INTO ${this.#schema}.steps (instance_id, seq, name, data, recorded_at) VALUES ($1, $2, $3, $4, now())`,
      values: [instanceId, seq, name, data],
    });
  }

  async lastStep({ instanceId, seq, name, data }: RawStep, output: string): Promise<void> {
    await this.#pool.query({
      name: 'last_step',
      text: `WITH step AS (
          INSERT INTO ${this.#schema}.steps (instance_id, seq, name, data, recorded_at) VALUES ($1, $2, $3, $4, now())
        )
        UPDATE ${this.#schema}.instances SET status = 'completed', output = $5, finished_at = now() WHERE instance_id = $1`,
      values: [instanceId, seq, name, data, output],
    });
  }

  async cancel(instanceId: string): Promise<void> {
    await this.#pool.query({
      name: 'cancel',
      text: `UPDATE ${this.#schema}.instances SET status = 'cancelled', finished_at = now()
        WHERE instance_id = $1 AND finished_at IS NULL`,
      values: [instanceId],
    });
  }

  async history(instanceId: string): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ readonly data: string }>({
      name: 'history',
      text: `SELECT data::text AS data FROM ${this.#schema}.steps WHERE instance_id = $1 ORDER BY seq`,
      values: [instanceId],
    });
    return rows.map((row) => row.data);
  }

  async setTimer(instanceId: string, dueAt: number): Promise<void> {
    await this.#pool.query({
      name: 'set_timer',
      text: `INSERT INTO ${this.#schema}.timers (instance_id, due_at) VALUES ($1, to_timestamp($2::float8 / 1000))`,
      values: [instanceId, dueAt],
    });
  }

  async fireTimer(instanceId: string): Promise<void> {
    await this.#pool.query({
      name: 'fire_timer',
      text: `UPDATE ${this.#schema}.timers SET fired_at = now() WHERE instance_id = $1 AND fired_at IS NULL`,
      values: [instanceId],
    });
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
