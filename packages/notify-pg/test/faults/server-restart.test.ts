// A server that is restarted, killed and frozen in the middle of work: nothing lost, nothing doubled, and healthy again.
import { afterwards, type PostgresCluster, type ShutdownMode, startPostgres } from '@romancy/test-support';
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

/** A starter, two workers, and work that has begun. */
async function atWork(): Promise<{ readonly apps: readonly StartedApp[]; readonly ledger: Ledger }> {
  const url = new URL(server.url);
  url.pathname = `/work_${++databases}`;
  const administrator = new pg.Client({ connectionString: server.url });
  await administrator.connect();
  await administrator.query(`CREATE DATABASE work_${databases}`);
  await administrator.end();
  const ledger = await openLedger(url.href);
  const options = { url: url.href, workflowPollInterval: 500, timerPollInterval: 500 } as const;
  const apps = await Promise.all([healthyApp({ ...options, workflows: [] }), healthyApp(options), healthyApp(options)]);
  await ledger.start(apps[0].romancy, 150, { pauseMs: 30 });
  return { apps, ledger };
}

it.each<ShutdownMode>(['fast', 'immediate', 'kill'])('comes through a restart (%s)', async (mode) => {
  const { apps, ledger } = await atWork();
  await server.shutDown(mode);
  await Promise.all(apps.map((app) => app.is('connecting')));
  await server.startAgain();
  await Promise.all(apps.map((app) => app.is('healthy', 5000)));
  await ledger.complete();
});

it('comes through a server that stands still for three seconds', async () => {
  const { apps, ledger } = await atWork();
  await server.freeze();
  await Promise.all(apps.map((app) => app.is('connecting', 4000)));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await server.thaw();
  await Promise.all(apps.map((app) => app.is('healthy', 5000)));
  await ledger.complete();
});
