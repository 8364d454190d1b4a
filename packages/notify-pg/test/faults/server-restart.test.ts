// A server that is restarted, killed and frozen in the middle of work: nothing lost, nothing doubled, and healthy again.
import {
  afterwards,
  eventually,
  type PostgresCluster,
  type ShutdownMode,
  startPostgres,
  startTcpProxy,
  type TcpProxy,
} from '@romancy/test-support';
import pg from 'pg';
import { beforeAll, it } from 'vitest';
import { openLedger, type Ledger } from './ledger.js';
import { healthyApp, type StartedApp } from './start-app.js';

let server: PostgresCluster;
let databases = 0;

beforeAll(async () => {
  server = await startPostgres();
  afterwards(() => server.stop());
});

/** A starter, two workers, whose notifiers connect through a proxy, and work that has begun. */
async function atWork(): Promise<{ readonly apps: readonly StartedApp[]; readonly ledger: Ledger; readonly proxy: TcpProxy }> {
  const url = new URL(server.url);
  url.pathname = `/work_${++databases}`;
  const administrator = new pg.Client({ connectionString: server.url });
  await administrator.connect();
  await administrator.query(`CREATE DATABASE work_${databases}`);
  await administrator.end();
  const ledger = await openLedger(url.href);
  const proxy = await startTcpProxy(url.href);
  const notifier = { connectionString: proxy.url };
  const options = { url: url.href, notifier, workflowPollInterval: 500, timerPollInterval: 500 } as const;
  const apps = await Promise.all([healthyApp({ ...options, workflows: [] }), healthyApp(options), healthyApp(options)]);
  await ledger.start(apps[0].romancy, 150, { pauseMs: 30 });
  return { apps, ledger, proxy };
}

it.each<ShutdownMode>(['fast', 'immediate', 'kill'])('comes through a restart (%s)', async (mode) => {
  const { apps, ledger } = await atWork();
  await server.shutDown(mode);
  await Promise.all(apps.map((app) => app.is('connecting')));
  await server.startAgain();
  await Promise.all(apps.map((app) => app.is('healthy', 5000)));
  await ledger.complete();
});

it('comes through a server that stands still', async () => {
  const { apps, ledger, proxy } = await atWork();
  let attempts = 0;
  proxy.onStartup = ({ startup }) => void (attempts += startup.get('application_name')?.endsWith(':listening') === true ? 1 : 0);
  await server.freeze();
  await Promise.all(apps.map((app) => app.is('connecting', 4000)));
  // Until they have tried to connect, have got no answer, and try again.
  await eventually(() => attempts >= 2 * apps.length, { timeout: 15_000 });
  await server.thaw();
  await Promise.all(apps.map((app) => app.is('healthy', 5000)));
  await ledger.complete();
});
