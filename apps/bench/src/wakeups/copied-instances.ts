// Makes as many instances that wait as a test of years would, out of one that does, within the server.
import type pg from 'pg';

export interface Copies {
  readonly schema: string;
  /** Of the instance that is copied; it must be put away. */
  readonly instanceId: string;
  /** The copies are called `<name>-<number>`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** When the first of all is due (milliseconds since 1970), and how much later each next one. Left out: when the copied one is. */
  readonly due?: { readonly first: number; readonly gapMs: number };
}

interface Column {
  readonly table: string;
  readonly column: string;
}

/** Copies what the instance has in every table: itself, its history, what it waits for. */
export async function copyInstances(client: pg.Client, copies: Copies): Promise<void> {
  const { schema, instanceId, name, from, to, due } = copies;
  const { rows } = await client.query<Column>(
    `SELECT c.table_name AS "table", c.column_name AS "column" FROM information_schema.columns c
      WHERE c.table_schema = $1 AND c.is_identity = 'NO' AND c.is_generated = 'NEVER' AND EXISTS (
        SELECT FROM information_schema.columns i
          WHERE i.table_schema = $1 AND i.table_name = c.table_name AND i.column_name = 'instance_id')
      ORDER BY c.ordinal_position`,
    [schema],
  );
  const dueTime = due === undefined ? null : `to_timestamp((${due.first} + g.number * ${due.gapMs})::float8 / 1000)`;
  const valueOf = (column: string): string => {
    if (column === 'instance_id') return `'${name}-' || g.number`;
    if (dueTime !== null && (column === 'wake_at' || column === 'due_at')) {
      return `CASE WHEN t.${column} IS NULL THEN NULL ELSE ${dueTime} END`;
    }
    return `t.${column}`;
  };
  for (const table of new Set(rows.map((row) => row.table))) {
    const columns = rows.filter((row) => row.table === table).map(({ column }) => column);
    const { rowCount } = await client.query(
      `INSERT INTO ${schema}.${table} (${columns.join(', ')})
        SELECT ${columns.map(valueOf).join(', ')} FROM ${schema}.${table} t, generate_series($2::bigint, $3::bigint) AS g (number)
          WHERE t.instance_id = $1`,
      [instanceId, from, to],
    );
    if (table === 'instances' && rowCount !== to - from + 1) throw new Error(`${rowCount} copies of ${instanceId} were made`);
  }
}

/** As the server does by itself after a while: counts what is there, and writes it out. */
export async function settleTables(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ readonly tablename: string }>('SELECT tablename FROM pg_tables WHERE schemaname = $1', [
    schema,
  ]);
  for (const { tablename } of rows) await client.query(`VACUUM (ANALYZE) ${schema}.${tablename}`);
  // Takes a right that not everybody has on a server that was given.
  await client.query('CHECKPOINT').catch(() => undefined);
}
