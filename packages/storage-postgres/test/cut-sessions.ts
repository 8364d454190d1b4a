// Ends sessions of a server, as a restart, a failover or an administrator does.
import { eventually } from '@romancy/test-support';
import type pg from 'pg';

/** Ends the sessions of this database that fit the condition, and returns when they are gone. Never that of `client`. */
export async function cutSessions(client: pg.Client, condition = 'true', values: readonly unknown[] = []): Promise<void> {
  const where = `datname = current_database() AND pid <> pg_backend_pid() AND ${condition}`;
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${where}`,
    [...values],
  );
  const pids = rows.map(({ pid }) => pid);
  await eventually(async () => {
    // Within a transaction of the client it would go on showing what it showed first.
    await client.query('SELECT pg_stat_clear_snapshot()');
    const left = await client.query('SELECT FROM pg_stat_activity WHERE pid = ANY($1::int[])', [pids]);
    return left.rowCount === 0;
  });
}
