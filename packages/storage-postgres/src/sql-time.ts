// Times: the database's clock and its type in the tables, whole milliseconds since 1970 at the port.
import { raw, sql, type Sql } from './sql.js';

/** A stored time as milliseconds. Exact, since whole milliseconds are all that is ever stored. */
export function millis(column: string): Sql {
  return raw(`(extract(epoch FROM ${column}) * 1000)::bigint`);
}

/** Milliseconds, given by an expression that may be null, as a time of the database. */
export function instant(milliseconds: Sql | number): Sql {
  return sql`to_timestamp(${milliseconds}::float8 / 1000)`;
}

/**
 * The start of the statement (or of its transaction), cut to whole milliseconds, so that a time which is handed out and comes back
 * in a cursor or a comparison is equal to the stored one. For what is stored; `now()` itself for what is due.
 */
export const storedNow: Sql = raw(`date_trunc('milliseconds', now())`);

/** The clock at this moment, for answers: a statement that had to wait for a lock must not tell a time of before. */
export const clockMillis: Sql = raw(`floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`);
