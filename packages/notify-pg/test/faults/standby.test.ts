// A server that takes no writes: refused, and used as soon as it is the first one.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterwards, eventually, startPostgres } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { startNotifier } from '../notifier-fixture.js';
import { fast } from './fast-profile.js';

it('tries a standby again and again, and is healthy as soon as that is promoted', async () => {
  const server = await startPostgres();
  afterwards(() => server.stop());
  const first = await administrator(server.url);
  const { rows } = await first.query<{ folder: string }>(`SELECT current_setting('data_directory') AS folder`);
  await first.end();
  await server.shutDown('fast');
  await writeFile(join(rows[0]!.folder, 'standby.signal'), '', { mode: 0o666 });
  await server.startAgain();
  const { notifier, logger, is } = await startNotifier({ connectionString: server.url, ...fast });
  await eventually(() => logger.matching('connection failed').length > 0);
  expect(logger.matching('connection failed')[0]!.fields['error']).toMatch(/standby/);
  expect(notifier.state).toBe('connecting');
  const administering = await administrator(server.url);
  await administering.query('SELECT pg_promote()');
  await is('healthy', 3000);
  await administering.end();
});

async function administrator(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
