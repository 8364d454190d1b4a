// Sends notes until the server can write no more to a listener that does not read, and its queue fills.
import { eventually } from '@romancy/test-support';
import type pg from 'pg';

/**
 * Resolves when the session of that server process is stuck and holds three tenths of a queue of 64 pages: the system takes some megabytes
 * before it takes no more.
 * @param channel on which it listens.
 */
export async function jamListener(client: pg.Client, pid: number, channel: string): Promise<void> {
  const notify = (count: number, length: number): Promise<unknown> =>
    client.query(`SELECT count(pg_notify($1, repeat('x', $2) || i)) FROM generate_series(1, $3) AS i`, [channel, length, count]);
  let pokes = 0;
  await eventually(
    async () => {
      const { rows } = await client.query<{ usage: number; isStuck: boolean }>(
        `SELECT pg_notification_queue_usage() AS usage, wait_event = 'ClientWrite' AS "isStuck" FROM pg_stat_activity WHERE pid = $1`,
        [pid],
      );
      const { usage, isStuck } = rows[0]!;
      if (usage < 0.3) await notify(10, 7900);
      // It is also in the middle of a write when it gets on. And a note, whoever it is for, has it try again, when the system takes what it did
      // not promise before: it is stuck when that was so again and again.
      const isJammed = isStuck && usage >= 0.3;
      if (isJammed) await notify(1, 1);
      pokes = isJammed ? pokes + 1 : 0;
      return pokes > 20;
    },
    { interval: 2, timeout: 20_000 },
  );
}
