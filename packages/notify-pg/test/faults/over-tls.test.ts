// The same over TLS, where the driver reads from another stream than the socket.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown } from 'node:fs/promises';
import { join } from 'node:path';
import { afterwards, eventually, type PostgresCluster, startPostgres, temporaryDirectory } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { healthyNotifier } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

it.skipIf(!hasOpenssl)(
  `hears a crowd of notes, and comes back after its sessions were ended${hasOpenssl ? '' : ' (skipped: openssl is not installed)'}`,
  async () => {
    const { url: plain } = await startWithTls();
    const url = new URL(plain);
    url.searchParams.set('sslmode', 'no-verify');
    const { notifier, heard, is } = await healthyNotifier({ connectionString: url.href, ...fast });
    const watching = await watchingClient(plain);
    const { rows } = await watching.client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name LIKE 'romancy-notify:%'`,
    );
    expect(rows).toEqual([{ n: 2 }]);
    await watching.client.query(
      `SELECT count(pg_notify('romancy_outbox_pending', '{"event_id":"' || i || repeat('x', 500) || '"}')) FROM generate_series(1, 20000) AS i`,
    );
    await eventually(() => heard.length === 20_000);
    await watching.terminate();
    await eventually(() => notifier.status().reconnects === 2);
    await is('healthy');
  },
);

async function startWithTls(): Promise<PostgresCluster> {
  const folder = await temporaryDirectory();
  await chmod(folder, 0o755);
  const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  await chmod(key, 0o600);
  // Whom root has the server run as.
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  if (process.getuid?.() === 0) await chown(key, id('-u'), id('-g'));
  const server = await startPostgres({ settings: { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key } });
  afterwards(() => server.stop());
  return server;
}
