// Everything that can go wrong while connecting: tried again for ever, never an error of the app, and never a session too many.
import { createDatabase, eventually, startTcpProxy, type ProxiedConnection } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { healthyNotifier, startNotifier } from '../notifier-fixture.js';
import { watchingClient, type WatchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';
import { openLedger } from './ledger.js';
import { startApp } from './start-app.js';

/** Counts the messages of a kind that the server sends, and resets the connection at the given one. */
const resetAt =
  (kind: string, count: number) =>
  (connection: ProxiedConnection): void => {
    let seen = 0;
    connection.onFrame = (frame) => (frame.kind === kind && ++seen === count ? 'reset' : 'pass');
  };

/** From the first word of the client to the first note: each message that ends something. */
const stages: Readonly<Record<string, (connection: ProxiedConnection) => void>> = {
  'before the client has said a word': (connection) => connection.reset(),
  'when the server asks for a password': resetAt('R', 1),
  'when the server lets it in': resetAt('R', 4),
  'when the server tells its settings': resetAt('S', 1),
  'when the session is ready': resetAt('Z', 1),
  'while it asks who is there': resetAt('D', 1),
  'when it knows who is there': resetAt('Z', 2),
  'when its settings are made': resetAt('Z', 3),
  'when its socket is set': resetAt('Z', 4),
  'while it listens on the first channels': resetAt('C', 15),
  'when it listens, or has sent': resetAt('Z', 5),
  'at its first note': resetAt('A', 1),
  'in its further work': resetAt('Z', 6),
};

describe('a connection that is reset', () => {
  it.each(['listening', 'sending'])('at any stage of connecting is made anew, for the %s session', async (role) => {
    const { url } = await createDatabase();
    const watching = await watchingClient(url);
    await Promise.all(
      Object.entries(stages).map(async ([stage, treat], index) => {
        const proxy = await startTcpProxy(url);
        let isReset = false;
        proxy.onStartup = (connection) => {
          if (isReset || connection.startup.get('application_name') !== `stage-${index}:${role}`) return;
          isReset = true;
          treat(connection);
        };
        const options = {
          connectionString: proxy.url,
          applicationName: `stage-${index}`,
          channelPrefix: `stage${index}`,
          ...fast,
        };
        const { notifier, is } = await startNotifier(options);
        await is('healthy');
        await eventually(async () => (await sessionsOf(watching, `stage-${index}:%`)) === 2);
        expect(notifier.state, stage).toBe('healthy');
      }),
    );
  });
});

describe('a database that is not there', () => {
  it('at the start neither stops the app nor turns notes off', async () => {
    const { url } = await createDatabase();
    const ledger = await openLedger(url);
    const proxy = await startTcpProxy(url);
    await proxy.admit('refuse');
    const app = await startApp({ url, notifier: { connectionString: proxy.url }, workflowPollInterval: 100 });
    await ledger.start(app.romancy, 5);
    await ledger.complete();
    expect(app.states).toEqual(['connecting']);
    await proxy.admit('forward');
    await app.is('healthy', 2000);
  });

  it('because all its connections are taken, is there when one is free', async () => {
    const { url, watching, role, roleUrl } = await ownRole();
    await watching.client.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`);
    const { is, logger } = await startNotifier({ connectionString: roleUrl(url), ...fast });
    await eventually(() => logger.matching('connection failed').length === 1);
    await watching.client.query(`ALTER ROLE ${role} CONNECTION LIMIT 2`);
    await is('healthy', 2000);
    expect(logger.at('warn')).toHaveLength(1);
  });

  it('because its password was changed, is there when the password is right again', async () => {
    const { url, watching, role, roleUrl } = await ownRole();
    const { is, notifier } = await healthyNotifier({ connectionString: roleUrl(url), ...fast });
    await watching.client.query(`ALTER ROLE ${role} NOLOGIN`);
    await watching.client.query(`ALTER ROLE ${role} PASSWORD 'another'`);
    await watching.terminate();
    await is('connecting');
    await watching.client.query(`ALTER ROLE ${role} LOGIN`);
    await watching.client.query(`ALTER ROLE ${role} PASSWORD 'secret'`);
    await is('healthy', 2000);
    expect(notifier.status().reconnects).toBe(2);
  });
});

describe('a role with limits of its own', () => {
  it('that ends quiet sessions and every statement after a millisecond loses neither', async () => {
    const { url, watching, role, roleUrl } = await ownRole();
    const settings = ['statement_timeout = 1', 'lock_timeout = 1'];
    const { rows } = await watching.client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    );
    if (rows[0]!.version >= 140_000) settings.push(`idle_session_timeout = 400`);
    if (rows[0]!.version >= 170_000) settings.push(`transaction_timeout = 400`);
    for (const setting of settings) await watching.client.query(`ALTER ROLE ${role} SET ${setting}`);
    const { notifier } = await healthyNotifier({ connectionString: roleUrl(url), ...fast, pingInterval: '1m' });
    const until = performance.now() + 1000;
    await eventually(() => performance.now() > until);
    notifier.send([{ kind: 'outbox_pending', eventId: 'quiet' }]);
    await eventually(() => notifier.status().sent === 1);
    expect(notifier.status()).toMatchObject({ state: 'healthy', reconnects: 0, dropped: 0 });
  });
});

async function sessionsOf({ client }: WatchingClient, pattern: string): Promise<number> {
  const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE application_name LIKE $1', [pattern]);
  return rowCount ?? 0;
}

/** A role that the test may limit, and the connection string with which it comes in. */
async function ownRole(): Promise<{
  readonly url: string;
  readonly watching: WatchingClient;
  readonly role: string;
  roleUrl(url: string): string;
}> {
  const { url, name } = await createDatabase();
  const watching = await watchingClient(url);
  const role = `role_${name}`;
  await watching.client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  // Dropped with the database it would be in the way of: it owns nothing.
  return {
    url,
    watching,
    role,
    roleUrl(given) {
      const own = new URL(given);
      own.username = role;
      own.password = 'secret';
      return own.href;
    },
  };
}
