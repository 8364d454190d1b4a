// The pool of code by hand on PostgreSQL, with tables of its own.
import pg from 'pg';

export interface RawPoolOptions {
  readonly url: string;
  readonly schema: string;
  /** At most so many. */
  readonly connections: number;
}

/**
 * Opens a pool.
 * @param tables statements that make them, in the schema, which is there by then.
 */
export async function openRawPool({ url, schema, connections }: RawPoolOptions, tables: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  try {
    await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}; ${tables}`);
    return pool;
  } catch (error) {
    await pool.end();
    throw error;
  }
}
