// Notes that come late, twice, in another order, cut, or from somebody who means ill: hints, so that nothing follows but latency.
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createDatabase, eventually, readNotification, startTcpProxy } from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { healthyNotifier, startNotifier } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { delayNotes } from './delay-notes.js';
import { fast } from './fast-profile.js';
import { openLedger } from './ledger.js';
import { hardlyPolls, healthyApp } from './start-app.js';

describe('notes', () => {
  it('that come twice and in another order make no work twice', async () => {
    const { url } = await createDatabase();
    const ledger = await openLedger(url);
    const proxy = await startTcpProxy(url);
    proxy.onStartup = (connection) => {
      let older: Buffer | undefined;
      connection.onFrame = (frame) => {
        if (frame.kind !== 'A') return 'pass';
        const again = older === undefined ? [] : [older];
        older = frame.bytes;
        return [frame.bytes, ...again, frame.bytes];
      };
    };
    const notifier = { connectionString: proxy.url };
    const from = await healthyApp({ url, workflows: [], notifier, ...hardlyPolls });
    await healthyApp({ url, notifier, ...hardlyPolls });
    await healthyApp({ url, notifier, ...hardlyPolls });
    await ledger.start(from.romancy, 200, { pauseMs: 5 });
    await ledger.complete();
  });

  it('that come later than the proof may take make it undeliverable; work is found by polling, and it heals when they come in time', async () => {
    const { url } = await createDatabase();
    const ledger = await openLedger(url);
    const proxy = await startTcpProxy(url);
    const notifier = { connectionString: proxy.url };
    const app = await healthyApp({ url, notifier, workflowPollInterval: 100, timerPollInterval: 100 });
    // Late, but within the time that a proof may take: still healthy.
    for (const { toClient } of proxy.named(/:listening$/)) toClient.delayMs = 150;
    await ledger.start(app.romancy, 20, { pauseMs: 5 });
    await ledger.complete();
    expect(app.states.at(-1)).toBe('healthy');
    proxy.onStartup = (connection) => delayNotes(connection, 1000);
    for (const connection of proxy.connections) delayNotes(connection, 1000);
    await app.is('undeliverable', 4000);
    await ledger.start(app.romancy, 20, { pauseMs: 5 });
    await ledger.complete();
    proxy.onStartup = () => undefined;
    await app.is('healthy', 4000);
  });

  it('of which one is cut in the middle cost one connection, and what it would have told is found', async () => {
    const { url } = await createDatabase();
    const ledger = await openLedger(url);
    const proxy = await startTcpProxy(url);
    const from = await healthyApp({ url, workflows: [], ...hardlyPolls });
    const worker = await healthyApp({ url, notifier: { connectionString: proxy.url }, ...hardlyPolls });
    for (const connection of proxy.named(/:listening$/)) {
      connection.onFrame = (frame) =>
        readNotification(frame)?.channel === 'romancy_workflow_resumable' ? 'cut in the middle' : 'pass';
    }
    await ledger.start(from.romancy, 10);
    await ledger.complete(3000);
    await worker.is('healthy');
    expect(worker.states).toEqual(['connecting', 'catching_up', 'healthy', 'connecting', 'catching_up', 'healthy']);
  });
});

describe('bytes that no server sends', () => {
  const framed = (kind: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(5);
    head.write(kind, 'latin1');
    head.writeInt32BE(4 + body.length, 1);
    return Buffer.concat([head, body]);
  };
  const garbage: Readonly<Record<string, Buffer>> = {
    'of a kind that does not exist': framed('?', randomBytes(40)),
    'at random': randomBytes(4096),
    zeroes: Buffer.alloc(64),
    'with a negative length': Buffer.from([0x41, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
    'that promise two gigabytes': Buffer.from([0x41, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]),
    'of a note without ends': framed('A', Buffer.from('\0\0\0\x01romancy_ping')),
    'of an empty note': framed('A', Buffer.alloc(0)),
    'of an answer that nobody asked for': Buffer.concat([framed('C', Buffer.from('SELECT 1\0')), framed('Z', Buffer.from('I'))]),
    'of a row that nobody asked for': framed('D', Buffer.from([0, 1, 0, 0, 0, 1, 65])),
    'of an error without a word': framed('E', Buffer.from([0])),
    'of a demand for a password': framed('R', Buffer.from([0, 0, 0, 3])),
  };

  it.each(['listening', 'sending'])('end no process and leave nothing behind on the session that is %s', async (role) => {
    const { url } = await createDatabase();
    await Promise.all(
      Object.entries(garbage).map(async ([name, bytes], index) => {
        const proxy = await startTcpProxy(url);
        const channelPrefix = `garbage${index}`;
        const { notifier, heard } = await healthyNotifier({ connectionString: proxy.url, channelPrefix, ...fast });
        const [connection] = proxy.named(new RegExp(`:${role}$`));
        connection!.inject(bytes);
        // Told to itself by another: what it then hears shows that both sessions work.
        const other = await healthyNotifier({ connectionString: url, channelPrefix, ...fast });
        await eventually(
          () => {
            other.notifier.send([{ kind: 'outbox_pending', eventId: name }]);
            notifier.send([{ kind: 'outbox_pending', eventId: name }]);
            return heard.length > 0 && other.heard.length > 0 && notifier.state === 'healthy';
          },
          { timeout: 5000, interval: 50 },
        ).catch((cause: unknown) => {
          throw new Error(`Not healthy after bytes ${name}`, { cause });
        });
      }),
    );
  });

  it('end no process while it connects, and are behind it when it tries again', async () => {
    const { url } = await createDatabase();
    await Promise.all(
      Object.entries(garbage).map(async ([name, bytes], index) => {
        const proxy = await startTcpProxy(url);
        let disturbed = 0;
        proxy.onStartup = (connection) => {
          if (disturbed++ < 4) connection.inject(bytes);
        };
        const channelPrefix = `early${index}`;
        const { is } = await startNotifier({ connectionString: proxy.url, channelPrefix, ...fast });
        await is('healthy').catch((cause: unknown) => {
          throw new Error(`Not healthy after bytes ${name}`, { cause });
        });
      }),
    );
  });
});

describe('forged notes', () => {
  it(
    'of every kind are counted and ignored, 10,000 at once do not hold up the process, and the true one among them is heard',
    { retry: 2 },
    async () => {
      const { url } = await createDatabase();
      const watching = await watchingClient(url);
      const { heard, notifier, states } = await healthyNotifier({ connectionString: url, ...fast });
      const before = notifier.status().received;
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      await watching.client.query(
        `SELECT count(pg_notify(
         (ARRAY['romancy_workflow_resumable', 'romancy_timer_expired', 'romancy_channel_message', 'romancy_outbox_pending', 'romancy_ping'])[1 + i % 5],
         CASE i % 11
           WHEN 0 THEN i::text
           WHEN 1 THEN md5(i::text)
           WHEN 2 THEN '{"__proto__": {"event_id": "polluted", "instance_id": "polluted"}, "n": ' || i || '}'
           WHEN 3 THEN '{"constructor": {"prototype": {"event_id": "polluted"}}, "n": ' || i || '}'
           WHEN 4 THEN '[' || i || ']'
           WHEN 5 THEN '{"event_id": ' || i || ', "instance_id": null, "workflow_name": [], "nonce": {}}'
           WHEN 6 THEN repeat('[', 3000) || i
           WHEN 7 THEN '"' || i
           WHEN 8 THEN 'null' || repeat(' ', i % 100)
           WHEN 9 THEN '{"event_id": "", "instance_id": "", "nonce": "", "n": ' || i || '}'
           ELSE rpad('{"n":' || i || '}', CASE WHEN i % 50 = 10 THEN 7999 ELSE 60 END)
         END))
       FROM generate_series(1, 10000) AS i`,
      );
      await watching.notify('romancy_outbox_pending', { event_id: 'true', __proto__: 1, extra: { deep: true } });
      await eventually(() => heard.length > 0);
      delay.disable();
      expect(heard).toEqual([{ kind: 'outbox_pending', eventId: 'true' }]);
      expect(({} as Record<string, unknown>)['event_id']).toBeUndefined();
      const { received, ignored } = notifier.status();
      expect(ignored).toBeGreaterThan(9000);
      // Pings that cannot be read are none; the rest is counted as what it is.
      expect(received - before - 1).toBe(ignored);
      expect(delay.percentile(99) / 1e6).toBeLessThan(50);
      expect(states.at(-1)).toBe('healthy');
    },
  );
});
