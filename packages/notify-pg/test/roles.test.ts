// Roles and servers with ideas of their own: what they set does not reach the notifier's sessions.
import { createDatabase, eventually } from '@romancy/test-support';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createRole } from './create-role.js';
import { healthyNotifier } from './notifier-fixture.js';
import { watchingClient } from './watching-client.js';

/** Why {@link roleWith} makes none. */
const tooOld = 'the server is older than the setting';

/** Connects as a role with this setting; undefined where the server does not know it. */
async function roleWith(url: string, setting: string): Promise<string | undefined> {
  const admin = await watchingClient(url);
  const role = await createRole(url);
  try {
    await admin.client.query(`ALTER ROLE ${role.name} SET ${setting}`);
  } catch (error) {
    if (/unrecognized configuration parameter/.test(String(error))) return undefined;
    throw error;
  }
  return role.url;
}

describe('a role', () => {
  it.for([
    'statement_timeout = 1',
    'lock_timeout = 1',
    'synchronous_commit = on',
    `default_transaction_isolation = 'serializable'`,
    'default_transaction_read_only = on',
    'standard_conforming_strings = off',
    'transaction_timeout = 50',
    `search_path = ''`,
    `client_encoding = 'LATIN1'`,
  ])('with %s is served like any other', async (setting, test) => {
    const { url } = await createDatabase();
    const connectionString = await roleWith(url, setting);
    if (connectionString === undefined) return test.skip(tooOld);
    const from = await healthyNotifier({ connectionString });
    const to = await healthyNotifier({ connectionString });
    from.notifier.send([{ kind: 'outbox_pending', eventId: 'grün' }]);
    await eventually(() => to.heard.length === 1);
    expect(to.heard).toEqual([{ kind: 'outbox_pending', eventId: 'grün' }]);
    expect(from.notifier.status()).toMatchObject({ reconnects: 0, dropped: 0 });
    await Promise.all([from.notifier.stop(), to.notifier.stop()]);
  });

  it('whose quiet sessions are ended keeps its listener', async (test) => {
    const { url } = await createDatabase();
    const connectionString = await roleWith(url, 'idle_session_timeout = 200');
    if (connectionString === undefined) return test.skip(tooOld);
    const { notifier, states } = await healthyNotifier({ connectionString });
    const idle = new pg.Client({ connectionString });
    const ended = new Promise<void>((resolve) => idle.on('error', () => resolve()));
    await idle.connect();
    await ended;
    expect(states).toEqual(['connecting', 'catching_up', 'healthy']);
    expect(notifier.status().reconnects).toBe(0);
    await notifier.stop();
  });
});

describe('the sessions', () => {
  it('have the settings of the rules, and names that say whose they are', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const clients = new Map<string, pg.Client>();
    const connect = async ({ role }: { readonly role: string }): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: url });
      clients.set(role, client);
      await client.connect();
      return client;
    };
    const { notifier } = await healthyNotifier({ connect, applicationName: `it's\\mine` });
    const { rows } = await admin.client.query<{ application_name: string }>(
      `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'it%' ORDER BY 1`,
    );
    expect(rows.map(({ application_name }) => application_name)).toEqual([`it's\\mine:listening`, `it's\\mine:sending`]);
    for (const client of clients.values()) {
      const show = async (name: string): Promise<unknown> =>
        (await client.query<{ value: string | null }>('SELECT current_setting($1, true) AS value', [name])).rows[0]!.value;
      expect(await show('synchronous_commit')).toBe('off');
      expect(await show('lock_timeout')).toBe('250ms');
      expect(await show('statement_timeout')).toBe('1s');
      // Null where the server does not know it.
      expect((await show('idle_session_timeout')) ?? '0').toBe('0');
      expect(await show('tcp_user_timeout')).toBe('30000');
      expect(await show('tcp_keepalives_idle')).toBe('15');
      expect(await show('tcp_keepalives_interval')).toBe('5');
      expect(await show('tcp_keepalives_count')).toBe('3');
    }
    expect(notifier.status()).toMatchObject({ state: 'healthy', serverVersion: expect.stringMatching(/^\d+\.\d+/) as string });
  });

  it('are never in a transaction, and idle they make one statement for each ping', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const queries: { readonly text: string; readonly at: number }[] = [];
    const connect = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      Object.assign(client, {
        query: (config: { text: string }) => {
          queries.push({ text: config.text, at: performance.now() });
          return query(config);
        },
      });
      return client;
    };
    // A second stands for 15.
    await healthyNotifier({ connect, pingInterval: '1s', pingTimeout: '500ms' });
    const begin = queries.length;
    await eventually(() => queries.length >= begin + 3);
    // Two whole intervals between three.
    expect(queries[begin + 2]!.at - queries[begin]!.at).toBeGreaterThan(1900);
    const { rows } = await admin.client.query(
      `SELECT state FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'romancy-notify%'`,
    );
    expect(rows).toEqual([{ state: 'idle' }, { state: 'idle' }]);
    expect(queries.every(({ text }) => !/^\s*BEGIN/i.test(text))).toBe(true);
  });
});
