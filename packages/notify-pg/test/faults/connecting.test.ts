// Everything that can go wrong while connecting: tried again for ever, never an error of the app, and never a session too many.
import dns from 'node:dns';
import { afterwards, createDatabase, eventually, startTcpProxy, type ProxiedConnection } from '@romancy/test-support';
import { describe, expect, it, vi } from 'vitest';
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

describe('the name of a server', () => {
  it('is looked up anew at each attempt, so that a failover that moves it is followed', async () => {
    const { url } = await createDatabase();
    const watching = await watchingClient(url);
    const lookedUp: string[] = [];
    /** Where the name leads to at this moment; null: it is not known. */
    let address: string | null = '127.0.0.2';
    const { lookup } = dns;
    const mocked = vi.spyOn(dns, 'lookup').mockImplementation((name: string, ...rest: unknown[]) => {
      const answer = rest.at(-1) as (error: Error | null, ...found: unknown[]) => void;
      if (name !== 'database.test') return (lookup as (...all: unknown[]) => void)(name, ...rest);
      lookedUp.push(address ?? 'unknown');
      if (address === null) answer(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
      else if ((rest[0] as { all?: boolean }).all === true) answer(null, [{ address, family: 4 }]);
      else answer(null, address, 4);
    });
    afterwards(() => mocked.mockRestore());
    const named = new URL(url);
    named.hostname = 'database.test';
    // Nobody is there.
    const { is, logger } = await startNotifier({ connectionString: named.href, ...fast });
    await eventually(() => lookedUp.length >= 4);
    address = null;
    await eventually(() => lookedUp.filter((found) => found === 'unknown').length >= 4);
    address = '127.0.0.1';
    await is('healthy', 3000);
    expect(lookedUp.slice(-2)).toEqual(['127.0.0.1', '127.0.0.1']);
    const before = lookedUp.length;
    await watching.terminate();
    await eventually(() => lookedUp.length === before + 2);
    await is('healthy');
    expect(logger.at('error')).toEqual([]);
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
