// A client beside the notifier: psql with LISTEN, NOTIFY by hand, an administrator.
import { afterwards } from '@romancy/test-support';
import pg from 'pg';

export interface WatchingClient {
  readonly client: pg.Client;
  /** What came over the channels that it listens to, oldest first. */
  readonly notes: readonly pg.Notification[];
  listen(...channels: readonly string[]): Promise<void>;
  notify(channel: string, payload: unknown): Promise<void>;
  /** Server processes of notifiers in this database, of both kinds unless told. */
  sessions(role?: 'listening' | 'sending'): Promise<readonly number[]>;
  /** How long ago the last of these sessions was opened, in milliseconds. */
  youngestMs(): Promise<number>;
  /** Ends these sessions as an administrator does; resolves when they were told to. */
  terminate(role?: 'listening' | 'sending'): Promise<void>;
}

export async function watchingClient(url: string): Promise<WatchingClient> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  afterwards(() => client.end());
  const notes: pg.Notification[] = [];
  client.on('notification', (notification) => notes.push(notification));
  const find = `FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%:' || $1`;
  return {
    client,
    notes,
    async listen(...channels) {
      for (const channel of channels) await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    },
    async notify(channel, payload) {
      await client.query('SELECT pg_notify($1, $2)', [channel, typeof payload === 'string' ? payload : JSON.stringify(payload)]);
    },
    async sessions(role) {
      const { rows } = await client.query<{ pid: number }>(`SELECT pid ${find}`, [role ?? '%']);
      return rows.map(({ pid }) => pid);
    },
    async youngestMs() {
      const { rows } = await client.query<{ ms: number }>(
        `SELECT extract(epoch FROM clock_timestamp() - max(backend_start))::float8 * 1000 AS ms ${find}`,
        ['%'],
      );
      return rows[0]!.ms;
    },
    async terminate(role) {
      await client.query(`SELECT pg_terminate_backend(pid) ${find}`, [role ?? '%']);
    },
  };
}
