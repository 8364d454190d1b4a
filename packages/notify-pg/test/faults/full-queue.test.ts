// The server's queue of notes, full because of somebody else: users' commits go on, nothing more is put into it, and it heals.
import { eventually, type PostgresCluster } from '@romancy/test-support';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { healthyNotifier } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';
import { smallQueueServer, tooOld } from '../small-queue.js';
import { openLedger } from './ledger.js';
import { healthyApp } from './start-app.js';

let server: PostgresCluster | undefined;

beforeAll(async () => {
  server = await smallQueueServer();
});

describe('a queue that a listener who does not read has filled', () => {
  it('fails no commit of users or workflows; it is said who holds it, nothing more is sent, and all goes on when he is gone', async (test) => {
    if (server === undefined) return test.skip(tooOld);
    const { url } = server;
    const ledger = await openLedger(url);
    const watching = await watchingClient(url);
    const observer = await healthyNotifier({ connectionString: url, ...fast });
    const app = await healthyApp({ url, workflowPollInterval: 200 });
    const culprit = new pg.Client({ connectionString: url, application_name: 'culprit' });
    culprit.on('error', () => undefined);
    await culprit.connect();
    // A listener reads no notes before the end of its transaction.
    await culprit.query('LISTEN noise');
    await culprit.query('BEGIN');
    await culprit.query('SELECT 1');
    const full = await fill(watching.client);
    expect(full).toBe('54000');

    await ledger.start(app.romancy, 50, { pauseMs: 5 });
    await ledger.complete();
    observer.notifier.send([{ kind: 'outbox_pending', eventId: 'lost' }]);
    await eventually(() => (observer.notifier.status().queueUsage ?? 0) > 0.5);
    observer.notifier.send([{ kind: 'outbox_pending', eventId: 'not even tried' }]);
    expect(observer.notifier.status().dropped).toBeGreaterThan(0);
    await eventually(() => observer.logger.matching('more than half full').length > 0);
    expect(observer.logger.matching('more than half full')[0]!.fields).toMatchObject({ application_name: 'culprit' });
    await eventually(() => observer.notifier.state !== 'healthy', { timeout: 4000 });

    const sweeps = observer.sweeps();
    await watching.client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'culprit'`);
    await observer.is('healthy', 8000);
    await app.is('healthy', 8000);
    expect(observer.sweeps()).toBeGreaterThan(sweeps);
    await eventually(() => (observer.notifier.status().queueUsage ?? 1) < 0.1, { timeout: 4000 });
    await ledger.start(app.romancy, 10);
    await ledger.complete();
    const { rows } = await watching.client.query<{ usage: number }>('SELECT pg_notification_queue_usage() AS usage');
    expect(rows[0]!.usage).toBeLessThan(0.1);
  });
});

describe('a small queue that nobody empties', () => {
  it('is left half free by a notifier that has much to say, so that nobody else’s commit fails', { retry: 2 }, async (test) => {
    if (server === undefined) return test.skip(tooOld);
    const { url } = server;
    const watching = await watchingClient(url);
    // Asks for the usage of the queue every half a minute: far too late.
    const { notifier } = await healthyNotifier({ connectionString: url });
    const culprit = new pg.Client({ connectionString: url });
    culprit.on('error', () => undefined);
    await culprit.connect();
    await culprit.query('LISTEN noise');
    await culprit.query('BEGIN');
    await culprit.query('SELECT 1');
    for (let round = 0; (notifier.status().queueUsage ?? 0) < 0.5; round++) {
      expect(round).toBeLessThan(1000);
      const before = notifier.status().sent;
      notifier.send([1, 2, 3].map((index) => ({ kind: 'outbox_pending', eventId: `${round}-${index}-${'x'.repeat(1000)}` })));
      await eventually(() => notifier.status().sent === before + 3, { interval: 1 });
    }
    notifier.send([{ kind: 'outbox_pending', eventId: 'one too many' }]);
    expect(notifier.status().dropped).toBe(1);
    await watching.notify('users', 'x'.repeat(7000));
    const { rows } = await watching.client.query<{ usage: number }>('SELECT pg_notification_queue_usage() AS usage');
    expect(rows[0]!.usage).toBeLessThan(0.6);
    await culprit.query('ROLLBACK');
    await culprit.end();
  });
});

/** Until the server refuses; answers with its code. */
async function fill(client: pg.Client): Promise<unknown> {
  for (let round = 0; round < 1000; round++) {
    try {
      await client.query(`SELECT pg_notify('noise', repeat('x', 7000) || $1)`, [round]);
    } catch (error) {
      return (error as { readonly code?: unknown }).code;
    }
  }
  return undefined;
}
