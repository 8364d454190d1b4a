// Sessions that are ended, refused or lost: it hears again at once, misses nothing, and leaves nothing behind.
import { createDatabase, eventually } from '@romancy/test-support';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createRole } from './create-role.js';
import { healthyNotifier, startNotifier, type Started } from './notifier-fixture.js';
import { watchingClient } from './watching-client.js';

/** A note from the one reaches the other. */
async function carries(from: Started, to: Started, eventId: string): Promise<void> {
  from.notifier.send([{ kind: 'outbox_pending', eventId }]);
  await eventually(() => to.heard.some((wakeup) => wakeup.kind === 'outbox_pending' && wakeup.eventId === eventId));
}

describe('reconnecting', () => {
  it(
    'listens again within 150 ms of pg_terminate_backend on either session, 100 times, with at least one sweep each and two sessions at the end',
    { retry: 2, timeout: 60_000 },
    async () => {
      const { url } = await createDatabase();
      const admin = await watchingClient(url);
      const to = await healthyNotifier({ connectionString: url });
      const from = await healthyNotifier({ connectionString: url, applicationName: 'other', channelPrefix: 'romancy' });
      const took: number[] = [];
      for (let round = 0; round < 100; round++) {
        const role = round % 3 === 0 ? 'sending' : round % 3 === 1 ? 'listening' : undefined;
        const sessions = await admin.sessions(role);
        const { states } = to;
        const [seen, sweeps] = [states.length, to.sweeps()];
        const cutAt = performance.now();
        await admin.terminate(role);
        if (role === 'sending') {
          await eventually(async () => {
            const now = await admin.sessions(role);
            return now.length === 2 && now.every((pid) => !sessions.includes(pid));
          });
          expect(states.length).toBe(seen);
        } else {
          await eventually(() => states.slice(seen).includes('catching_up'), { interval: 1 });
          took.push(performance.now() - cutAt);
          await Promise.all([to.is('healthy'), from.is('healthy')]);
          expect(to.sweeps()).toBeGreaterThan(sweeps);
        }
        await carries(from, to, String(round));
      }
      took.sort((a, b) => a - b);
      // A second attempt waits until 100 ms after the one before: most need none.
      expect(took[Math.floor(took.length / 2)]).toBeLessThan(150);
      expect((await admin.sessions()).length).toBe(4);
      await eventually(() => to.notifier.presence !== null);
      expect(to.notifier.status().reconnects).toBeGreaterThanOrEqual(100);
      expect(to.logger.at('error')).toEqual([]);
    },
  );

  it('begins its sweep within 150 ms of LISTEN, and not before', { retry: 2 }, async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    let listeningAt = Number.NaN;
    const connect = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const query = client.query.bind(client) as (config: { readonly text: string }) => Promise<unknown>;
      return Object.assign(client, {
        query: async (config: { readonly text: string }) => {
          const answer = await query(config);
          if (config.text.includes('LISTEN ')) listeningAt = performance.now();
          return answer;
        },
      });
    };
    const after: number[] = [];
    const onSweep = async (): Promise<void> => void after.push(performance.now() - listeningAt);
    const { notifier, states } = await healthyNotifier({ connect }, { onSweep });
    for (let round = 1; round <= 10; round++) {
      const healthy = states.filter((state) => state === 'healthy').length;
      listeningAt = Number.NaN;
      await admin.terminate('listening');
      await eventually(() => states.filter((state) => state === 'healthy').length > healthy, { interval: 1 });
    }
    expect(after).toHaveLength(11);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...after)).toBeLessThan(150);
    await notifier.stop();
  });

  it('says each loss once, as the contract words it', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const { logger, is, states } = await healthyNotifier({ connectionString: url, reconnectDelay: '10s' });
    logger.clear();
    const seen = states.length;
    await admin.terminate();
    await eventually(() => states.length >= seen + 3);
    await is('healthy');
    expect(states.slice(seen)).toEqual(['connecting', 'catching_up', 'healthy']);
    const lines = logger.lines.filter(({ level }) => level !== 'debug');
    expect(lines.map(({ message, fields }) => [message, Object.keys(fields)])).toEqual([
      ['LISTEN/NOTIFY connection lost, reconnecting', ['error', 'reconnect_delay']],
      ['PostgreSQL LISTEN/NOTIFY connection established', ['server_version']],
    ]);
    expect(lines[0]!.fields['reconnect_delay']).toBe('10s');
  });

  it('sends one note for everything instead of a pile that came while it was down', async () => {
    const { url, name } = await createDatabase();
    const other = await createDatabase();
    const admin = await watchingClient(other.url);
    const from = await healthyNotifier({ connectionString: url, reconnectDelay: '50ms' });
    await admin.client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await admin.client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [name]);
    await from.is('connecting');
    for (let i = 0; i < 1000; i++) from.notifier.send([{ kind: 'outbox_pending', eventId: String(i) }]);
    await admin.client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    const to = await healthyNotifier({ connectionString: url });
    await from.is('healthy');
    expect(from.notifier.status()).toMatchObject({ dropped: 0, coalesced: 1000 });
    expect(to.heard.length).toBe(0);
  });

  it('keeps trying when the server is full, and when the password was changed, and is well when that is over', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const role = await createRole(url, 'CONNECTION LIMIT 1');
    const started = await startNotifier({ connectionString: role.url, reconnectDelay: '50ms' });
    await eventually(() => started.logger.matching('connection failed, retrying').length === 1);
    expect(started.logger.at('warn')[0]!.fields['error']).toMatch(/too many connections for role/);
    await admin.client.query(`ALTER ROLE ${role.name} CONNECTION LIMIT -1`);
    await started.is('healthy');
    // What can be known of a password only shows at the next connection.
    await admin.client.query(`ALTER ROLE ${role.name} PASSWORD 'y'`);
    await admin.terminate();
    await started.is('connecting');
    await admin.client.query(`ALTER ROLE ${role.name} PASSWORD 'x'`);
    await started.is('healthy');
    await started.notifier.stop();
  });

  it('starts while nobody answers, and is healthy as soon as somebody does', async () => {
    const { url } = await createDatabase();
    let reachable = false;
    const started = await startNotifier({
      reconnectDelay: '50ms',
      connect: async () => {
        if (!reachable) throw new Error('connect ECONNREFUSED');
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        return client;
      },
    });
    started.notifier.send([{ kind: 'outbox_pending', eventId: 'early' }]);
    const admin = await watchingClient(url);
    await admin.listen('romancy_outbox_pending');
    await eventually(() => started.logger.matching('failed, retrying').length === 1);
    expect(started.notifier.state).toBe('connecting');
    reachable = true;
    await started.is('healthy');
    await eventually(() => admin.notes.length === 1);
    expect(started.states).toEqual(['connecting', 'catching_up', 'healthy']);
  });
});

describe('the presence', () => {
  it('is an advisory lock that others see, for as long as the listening session stands', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const a = await healthyNotifier({ connectionString: url });
    const b = await healthyNotifier({ connectionString: url });
    expect(a.notifier.presence).toMatch(/^advisory:-?\d+:-?\d+$/);
    const keys = (started: Started): number[] => started.notifier.presence!.split(':').slice(1).map(Number);
    const [classA, objectA] = keys(a);
    const [classB, objectB] = keys(b);
    expect(classA).toBe(classB);
    expect(objectA).not.toBe(objectB);
    const held = async (): Promise<number> => {
      const { rows } = await admin.client.query<{ held: string }>(
        `SELECT count(*) AS held FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 2
         AND classid::int8 = $1::int8 AND application_name LIKE '%:listening'`,
        [classA! < 0 ? classA! + 2 ** 32 : classA!],
      );
      return Number(rows[0]!.held);
    };
    expect(await held()).toBe(2);
    await a.notifier.stop();
    expect(a.notifier.presence).toBeNull();
    await eventually(async () => (await held()) === 1);
  });

  it('goes with the session and comes back with the next, under another key when the old one is still held', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const { notifier, presences } = await healthyNotifier({ connectionString: url });
    const first = notifier.presence!;
    await admin.terminate('listening');
    await eventually(() => presences.length === 3);
    expect(presences).toEqual([first, null, notifier.presence]);
    // As when the server has not noticed yet that a session is gone.
    const [, classId, objectId] = notifier.presence!.split(':');
    const [pid] = await admin.sessions('listening');
    const taken = admin.client.query('SELECT pg_advisory_lock($1::int4, $2::int4)', [classId, objectId]);
    const killer = await watchingClient(url);
    await killer.client.query('SELECT pg_terminate_backend($1)', [pid]);
    await taken;
    await eventually(() => presences.length === 5);
    expect(presences.at(-1)).not.toBe(presences.at(-3));
  });
});
