// Waits until statements wait: for locks that a test holds.
import { eventually } from '@romancy/test-support';
import type pg from 'pg';

/**
 * Resolves when that many statements in this database wait for a lock; each of them has its snapshot by then.
 * @param looker a session outside of any transaction: within one, what was seen of others first stays what is seen.
 */
export async function lockWaits(looker: pg.Client, count: number): Promise<void> {
  await eventually(async () => {
    const { rows } = await looker.query<{ n: string }>(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    return Number(rows[0]!.n) === count;
  });
}
