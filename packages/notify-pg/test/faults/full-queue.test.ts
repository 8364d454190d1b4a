// The server's queue of notes, full because of somebody else: users' commits go on, nothing more is put into it, and it heals.
import { afterwards, eventually, type PostgresCluster } from '@romancy/test-support';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { healthyNotifier } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';
import { localClient, smallQueueServer, tooOld } from '../small-queue.js';
import { jamListener } from './jam-listener.js';
import { openLedger } from './ledger.js';
import { healthyApp } from './start-app.js';

let server: PostgresCluster | undefined;

beforeAll(async () => {
  server = await smallQueueServer();
});

describe('a listener whose process does not read', () => {
  it('is named: as a suspect while the queue fills, and by the word of the server when it is half full', async (test) => {
    if (server === undefined) return test.skip(tooOld);
    // The server says it once in five seconds, to one session: this comes before the other tests of this file.
    const { url } = server;
    const watching = await watchingClient(url);
    const frozen = await localClient(url, { application_name: 'frozen' });
    frozen.on('error', () => undefined);
    await frozen.connect();
    afterwards(() => void frozen.connection.stream.destroy());
    const { rows } = await frozen.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const pid = rows[0]!.pid;
    await frozen.query('LISTEN noise');
    frozen.connection.stream.pause();
    await jamListener(watching.client, pid, 'noise');
    const { notifier, logger } = await healthyNotifier({ connectionString: url, ...fast });
    await eventually(() => logger.matching('queue is filling').length > 0);
    const shown = { application_name: 'frozen', wait_event: 'ClientWrite', suspect_pid: pid };
    expect(logger.matching('queue is filling')[0]!.fields).toMatchObject(shown);
    for (let round = 0; (notifier.status().queueUsage ?? 0) < 0.5; round++) {
      const before = notifier.status().sent;
      notifier.send([1, 2, 3].map((index) => ({ kind: 'outbox_pending', eventId: `${round}-${index}-${'x'.repeat(7000)}` })));
      await eventually(() => notifier.status().sent === before + 3, { interval: 1 });
    }
    await eventually(() => logger.matching('more than half full').length > 0);
    expect(logger.matching('more than half full')[0]!.fields).toMatchObject({ ...shown, blocking_pid: pid });
    // As the line says.
    await watching.client.query('SELECT pg_terminate_backend($1)', [pid]);
    await eventually(() => logger.matching('has room again').length > 0);
    expect(notifier.status().queueUsage).toBeLessThan(0.1);
  });
});

describe('a queue that a listener who does not read has filled', () => {
  it('fails no commit of users or workflows; it is said who holds it, nothing more is sent, and all goes on when he is gone', async (test) => {
    if (server === undefined) return test.skip(tooOld);
    const { url } = server;
    const ledger = await openLedger(url);
    const watching = await watchingClient(url);
    const observer = await healthyNotifier({ connectionString: url, ...fast });
    const app = await healthyApp({ url, workflowPollInterval: 200 });
    await holdsTheQueue(url);
    expect(await fill(watching.client)).toBe('54000');

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
    await watching.listen('romancy_outbox_pending');
    await watching.client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'culprit'`);
    await observer.is('healthy', 8000);
    await app.is('healthy', 8000);
    expect(observer.sweeps()).toBeGreaterThan(sweeps);
    await eventually(() => (observer.notifier.status().queueUsage ?? 1) < 0.1, { timeout: 4000 });
    // The first goes with the note that tells everybody to look, if that has not left by then.
    await eventually(() => {
      observer.notifier.send([{ kind: 'outbox_pending', eventId: 'again' }]);
      return watching.notes.some(({ payload }) => payload?.includes('again'));
    });
    await ledger.start(app.romancy, 10);
    await ledger.complete();
    const { rows } = await watching.client.query<{ usage: number }>('SELECT pg_notification_queue_usage() AS usage');
    expect(rows[0]!.usage).toBeLessThan(0.1);
  });
});

describe('a full queue, where notes are sent within the transactions that they are about', () => {
  it('holds up those until it has room, and those alone: nothing fails, nothing is lost or doubled', async (test) => {
    if (server === undefined) return test.skip(tooOld);
    const { url } = server;
    const watching = await watchingClient(url);
    await watching.client.query('DROP SCHEMA IF EXISTS romancy CASCADE; DROP TABLE IF EXISTS ledger');
    const ledger = await openLedger(url);
    const within = await healthyApp({ url, notifier: { delivery: 'transactional' }, workflows: [] });
    const after = await healthyApp({ url, workflowPollInterval: 200 });
    const culprit = await holdsTheQueue(url);
    expect(await fill(watching.client)).toBe('54000');
    let isStarted = false;
    const starting = ledger.start(within.romancy, 10).then(() => (isStarted = true));
    await eventually(() => !within.romancy.status().storageAvailable);
    await ledger.start(after.romancy, 10);
    await eventually(async () => (await ledger.booked()) === 20);
    expect(isStarted).toBe(false);
    await culprit.query('ROLLBACK');
    await starting;
    await ledger.complete();
    expect(within.romancy.status().storageAvailable).toBe(true);
  });
});

describe('a small queue that nobody empties', () => {
  it('is left half free by a notifier that has much to say, so that nobody else’s commit fails', { retry: 2 }, async (test) => {
    if (server === undefined) return test.skip(tooOld);
    const { url } = server;
    const watching = await watchingClient(url);
    // Asks for the usage of the queue every half a minute: far too late.
    const { notifier } = await healthyNotifier({ connectionString: url });
    const culprit = await holdsTheQueue(url);
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
    // It was told of the half by the server, or has asked after an eighth.
    expect(rows[0]!.usage).toBeLessThan(0.65);
    await culprit.query('ROLLBACK');
  });
});

/** A foreign session that holds all notes from here on: a listener reads none before the end of its transaction. */
async function holdsTheQueue(url: string): Promise<pg.Client> {
  const culprit = new pg.Client({ connectionString: url, application_name: 'culprit' });
  culprit.on('error', () => undefined);
  await culprit.connect();
  afterwards(() => culprit.end());
  await culprit.query('LISTEN noise');
  await culprit.query('BEGIN');
  await culprit.query('SELECT 1');
  return culprit;
}

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
