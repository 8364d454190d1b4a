// The server's queue of notes fills because somebody listens and does not read: told, spared, and healed.
import { afterwards, eventually } from '@romancy/test-support';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { healthyNotifier } from './notifier-fixture.js';
import { smallQueueServer, tooOld } from './small-queue.js';
import { watchingClient } from './watching-client.js';

describe('a queue of notes that somebody holds', () => {
  it('is told of above a quarter with the session that holds it, spared above a half, and used again when it has room', async (test) => {
    const cluster = await smallQueueServer();
    if (cluster === undefined) return test.skip(tooOld);
    const admin = await watchingClient(cluster.url);
    const usage = async (): Promise<number> =>
      (await admin.client.query<{ usage: number }>('SELECT pg_notification_queue_usage() AS usage')).rows[0]!.usage;
    const fillTo = async (part: number): Promise<void> => {
      while ((await usage()) < part)
        await admin.client.query(`SELECT count(pg_notify('noise', repeat('x', 7000) || i)) FROM generate_series(1, 2) AS i`);
    };
    const frozen = new pg.Client({ connectionString: cluster.url, application_name: 'the-culprit' });
    await frozen.connect();
    afterwards(() => frozen.end());
    const frozenPid = (await frozen.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;
    await frozen.query('LISTEN noise');
    await frozen.query('BEGIN');
    await fillTo(0.3);

    const options = { connectionString: cluster.url, pingInterval: '1s', pingTimeout: '500ms' } as const;
    const watching = await healthyNotifier(options);
    await eventually(() => watching.logger.matching('queue is filling').length === 1);
    expect(watching.logger.matching('queue is filling')[0]!.fields).toMatchObject({
      suspect_pid: frozenPid,
      application_name: 'the-culprit',
      state: 'idle in transaction',
    });
    const other = await healthyNotifier(options);
    expect(other.notifier.status().queueUsage).toBeNull();

    await fillTo(0.6);
    // Whoever begins to watch says so to all; every process looks for itself before it believes it.
    const third = await healthyNotifier(options);
    await watching.notifier.stop();
    await eventually(() => other.notifier.status().queueUsage !== null || third.notifier.status().queueUsage !== null, {
      timeout: 40_000,
      interval: 50,
    });
    await eventually(() => Math.min(...[other, third].map(({ notifier }) => notifier.status().queueUsage ?? 0)) > 0.5);
    other.notifier.send([{ kind: 'outbox_pending', eventId: 'spared' }]);
    expect(other.notifier.status().dropped).toBe(1);
    // What is not sent any more has to be found by polling, everywhere.
    expect([other, third].map(({ states }) => states.at(-1))).toEqual(['connecting', 'connecting']);
    const sweeps = third.sweeps();

    await frozen.query('ROLLBACK');
    await eventually(() => (other.notifier.status().queueUsage ?? 1) < 0.5);
    await eventually(() => third.sweeps() > sweeps);
    await Promise.all([other.is('healthy'), third.is('healthy')]);
    other.notifier.send([{ kind: 'outbox_pending', eventId: 'sent' }]);
    await eventually(() => third.heard.length === 1);
  }, 90_000);
});
