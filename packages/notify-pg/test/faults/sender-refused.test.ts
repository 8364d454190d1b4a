// A process that hears everybody and can be heard by nobody: its sending session alone is refused.
import { afterwards, createDatabase, eventually } from '@romancy/test-support';
import pg from 'pg';
import { expect, it } from 'vitest';
import { createRole } from '../create-role.js';
import { healthyNotifier } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';

it('is well for two ping intervals, then says so and goes on hearing; what it had to say is heard when it is let in again', async () => {
  const { url } = await createDatabase();
  const admin = await watchingClient(url);
  const sender = await createRole(url);
  const connect = async ({ role }: { readonly role: string }): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: role === 'sending' ? sender.url : url });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const { notifier, heard, states, is } = await healthyNotifier({ connect, ...fast });
  const other = await healthyNotifier({ connectionString: url, ...fast, applicationName: 'other' });
  let told = 0;
  const talking = setInterval(() => other.notifier.send([{ kind: 'outbox_pending', eventId: `told-${told++}` }]), 50);
  afterwards(() => clearInterval(talking));

  await admin.client.query(`ALTER ROLE ${sender.name} CONNECTION LIMIT 0`);
  await admin.client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [sender.name]);
  const refusedAt = performance.now();
  notifier.send([{ kind: 'outbox_pending', eventId: 'kept' }]);
  await is('connecting', 4000);
  expect(performance.now() - refusedAt).toBeGreaterThan(fast.pingInterval);
  expect(states).toEqual(['connecting', 'catching_up', 'healthy', 'connecting']);
  const before = heard.length;
  await eventually(() => heard.length > before + 3);
  expect(other.heard).toEqual([]);
  expect(notifier.presence).not.toBeNull();

  await admin.client.query(`ALTER ROLE ${sender.name} CONNECTION LIMIT -1`);
  await is('healthy', 3000);
  await eventually(() => other.heard.length > 0);
  expect(other.heard).toEqual([{ kind: 'outbox_pending', eventId: 'kept' }]);
  expect(notifier.status().dropped).toBe(0);
  await notifier.stop();
});
