// Everything that can go wrong while connecting: tried again for ever, never an error of the app, and never a session too many.
import { createDatabase, eventually, startTcpProxy, type ProxiedConnection } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { startNotifier } from '../notifier-fixture.js';
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
        const { is } = await startNotifier(options);
        await is('healthy').catch((cause: unknown) => {
          throw new Error(`Not healthy after a reset ${stage}`, { cause });
        });
      }),
    );
    await eventually(async () => (await sessionsOf(watching, `stage-%`)) === 2 * Object.keys(stages).length);
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
});

async function sessionsOf({ client }: WatchingClient, pattern: string): Promise<number> {
  const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE application_name LIKE $1', [pattern]);
  return rowCount ?? 0;
}
