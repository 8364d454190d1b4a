// Poolers in between: said when they keep notes away, used when they do not, and never left with what is ours.
import { createDatabase, eventually, hasPgBouncer, startPgBouncer } from '@romancy/test-support';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { healthyNotifier, startNotifier } from './notifier-fixture.js';
import { watchingClient } from './watching-client.js';

const fast = { pingTimeout: '300ms', reconnectDelay: '200ms' } as const;

/** The listening session by one way, the sending one by another. */
function connectBy(ways: { readonly listening: string; readonly sending: string }) {
  return async ({ role }: { readonly role: 'listening' | 'sending' }): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: ways[role] });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
}

describe.skipIf(!hasPgBouncer)(`PgBouncer${hasPgBouncer ? '' : ' (skipped: pgbouncer is not installed)'}`, () => {
  it('in transaction mode before both: undeliverable, told once, probed again, and the sessions of others are as they were', async () => {
    const { url } = await createDatabase();
    const bouncer = await startPgBouncer(url, { poolMode: 'transaction', poolSize: 2 });
    const others = new pg.Client({ connectionString: bouncer.url });
    others.on('error', () => undefined);
    await others.connect();
    const settings = `SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) AS all FROM pg_settings
      WHERE name IN ('statement_timeout', 'lock_timeout', 'synchronous_commit', 'default_transaction_isolation')`;
    const before = (await others.query<{ all: string }>(settings)).rows;
    const started = await startNotifier({ connectionString: bouncer.url, ...fast });
    await started.is('undeliverable');
    await eventually(() => started.notifier.status().reconnects >= 3);
    expect(started.logger.at('warn').map(({ message }) => /transaction pooling/.test(message))).toEqual([true]);
    expect(started.states).toEqual(['connecting', 'undeliverable']);
    expect(started.notifier.presence).toBeNull();
    expect(started.sweeps()).toBe(0);
    for (let round = 0; round < 10; round++) expect((await others.query<{ all: string }>(settings)).rows).toEqual(before);
    const { rows } = await others.query(
      `SELECT * FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND locktype = 'advisory'`,
    );
    expect(rows).toEqual([]);
    await others.end();
    // It becomes well by itself when the pooler is told otherwise.
    await bouncer.reload({ poolMode: 'session', poolSize: 6 });
    await started.is('healthy', 15_000);
    await started.notifier.stop();
  });

  it('in transaction mode before the listener alone: undeliverable', async () => {
    const { url } = await createDatabase();
    const bouncer = await startPgBouncer(url, { poolMode: 'transaction', poolSize: 2 });
    const { is, notifier } = await startNotifier({ connect: connectBy({ listening: bouncer.url, sending: url }), ...fast });
    await is('undeliverable');
    await notifier.stop();
  });

  it('in transaction mode before the sender alone: healthy, and what others send by the same session is not taken for its own', async () => {
    const { url } = await createDatabase();
    const bouncer = await startPgBouncer(url, { poolMode: 'transaction', poolSize: 1 });
    const connect = connectBy({ listening: url, sending: bouncer.url });
    const from = await healthyNotifier({ connect });
    const to = await healthyNotifier({ connect });
    from.notifier.send([{ kind: 'outbox_pending', eventId: 'e' }]);
    await eventually(() => to.heard.length === 1);
    // Nothing tells it from others' here, so it comes back.
    await eventually(() => from.heard.length === 1);
    await Promise.all([from.notifier.stop(), to.notifier.stop()]);
  });

  it('in session mode: healthy with all that belongs to it, also after RELOAD and a restart', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const bouncer = await startPgBouncer(url, { poolMode: 'session', poolSize: 6 });
    const from = await healthyNotifier({ connectionString: bouncer.url, ...fast });
    const to = await healthyNotifier({ connectionString: bouncer.url, ...fast });
    await bouncer.reload({ poolMode: 'session', poolSize: 7 });
    from.notifier.send([{ kind: 'outbox_pending', eventId: '1' }]);
    await eventually(() => to.heard.length === 1);
    await bouncer.restart();
    await Promise.all([from.is('connecting'), to.is('connecting')]);
    await Promise.all([from.is('healthy', 15_000), to.is('healthy', 15_000)]);
    from.notifier.send([{ kind: 'outbox_pending', eventId: '2' }]);
    await eventually(() => to.heard.length === 2);
    await eventually(() => to.notifier.presence !== null);
    const { rows } = await admin.client.query(
      `SELECT count(*)::int AS locks FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND locktype = 'advisory' AND objsubid = 2`,
    );
    expect(rows).toEqual([{ locks: 2 }]);
    await Promise.all([from.notifier.stop(), to.notifier.stop()]);
  });
});
