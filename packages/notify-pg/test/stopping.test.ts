// The end: what is gathered goes out, nothing is called afterwards, nothing is left, nobody waits.
import { createServer, type Socket } from 'node:net';
import {
  afterwards,
  compileFixture,
  createDatabase,
  eventually,
  spawnFixture,
  startTcpProxy,
  type TcpProxy,
} from '@romancy/test-support';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { healthyNotifier, startNotifier, type Started } from './notifier-fixture.js';
import { watchingClient, type WatchingClient } from './watching-client.js';

/** A server that takes connections and says nothing, ever. */
async function blackHole(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterwards(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `postgres://user:x@127.0.0.1:${(server.address() as { port: number }).port}/db`;
}

interface Faulty {
  readonly proxy: TcpProxy;
  readonly admin: WatchingClient;
  readonly started: Started;
  /** What its host was told. */
  readonly calls: string[];
}

/** Healthy, behind a proxy. */
async function startFaulty(): Promise<Faulty> {
  const { url } = await createDatabase();
  const proxy = await startTcpProxy(url);
  const admin = await watchingClient(url);
  const calls: string[] = [];
  const host = {
    onWakeups: () => void calls.push('wakeups'),
    onSweep: async () => void calls.push('sweep'),
    onStateChange: (state: string) => void calls.push(state),
    onPresence: (presence: string | null) => void calls.push(`presence ${String(presence)}`),
  };
  const started = await healthyNotifier({ connectionString: proxy.url, pingTimeout: '500ms' }, host);
  return { proxy, admin, started, calls };
}

const stopTime = async (stop: () => Promise<void>): Promise<number> => {
  const began = performance.now();
  await stop();
  return performance.now() - began;
};

describe('stop', () => {
  it('sends what is gathered, and leaves no session', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    await admin.listen('romancy_outbox_pending');
    const { notifier } = await healthyNotifier({ connectionString: url, coalesceWindow: '1s' });
    notifier.send([{ kind: 'outbox_pending', eventId: 'first' }]);
    await eventually(() => admin.notes.length === 1);
    notifier.send([{ kind: 'outbox_pending', eventId: 'last' }]);
    await notifier.stop();
    await eventually(() => admin.notes.length === 2);
    await eventually(async () => (await admin.sessions()).length === 0);
    expect(notifier.status()).toMatchObject({ state: 'stopped', sent: 2, dropped: 0 });
    notifier.send([{ kind: 'outbox_pending', eventId: 'too late' }]);
    await notifier.stop();
  });

  it('takes less than 50 ms, 30 times', { retry: 2 }, async () => {
    const { url } = await createDatabase();
    const times: number[] = [];
    for (let round = 0; round < 30; round++) {
      const { notifier } = await healthyNotifier({ connectionString: url });
      notifier.send([{ kind: 'outbox_pending', eventId: String(round) }]);
      times.push(await stopTime(() => notifier.stop()));
    }
    expect(times.sort((a, b) => a - b)[Math.floor(times.length * 0.9)]).toBeLessThan(50);
  });

  it('ends within 2 s while it connects to a black hole', { retry: 2 }, async () => {
    const connectionString = await blackHole();
    const { notifier, is, states } = await startNotifier({ connectionString });
    await is('connecting');
    expect(await stopTime(() => notifier.stop())).toBeLessThan(2000);
    expect(states).toEqual(['connecting']);
  });

  it('ends within 2 s while a function of the user connects for ever', { retry: 2 }, async () => {
    const { notifier } = await startNotifier({ connect: () => new Promise(() => undefined) });
    expect(await stopTime(() => notifier.stop())).toBeLessThan(2000);
  });

  it('closes what a function of the user brings too late', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const release: (() => void)[] = [];
    let connected = 0;
    const { notifier } = await startNotifier({
      connect: async () => {
        await new Promise<void>((resolve) => release.push(resolve));
        const client = new pg.Client({ connectionString: url, application_name: 'late:listening' });
        await client.connect();
        connected++;
        return client;
      },
    });
    await eventually(() => release.length === 2);
    await notifier.stop();
    for (const resolve of release) resolve();
    await eventually(() => connected === 2);
    await eventually(async () => (await admin.sessions()).length === 0);
  });

  it(
    'ends within 2 s in every state that a fault leaves it in, and what arrives afterwards reaches nobody',
    { retry: 2 },
    async () => {
      const states: Readonly<Record<string, (faulty: Faulty) => Promise<void>>> = {
        'healthy, with two lines that have died since': async ({ proxy, started, admin }) => {
          for (const { toClient, toServer } of proxy.connections) toClient.mode = toServer.mode = 'hold';
          started.notifier.send([{ kind: 'outbox_pending', eventId: 'on its way' }]);
          await admin.notify('romancy_outbox_pending', { event_id: 'on its way back' });
          await admin.notify('romancy_look_at_everything', '{}');
          expect(started.notifier.state).toBe('healthy');
        },
        'connecting after a loss, to a server that takes connections and says nothing': async ({ proxy, started }) => {
          await proxy.admit('black hole');
          const accepted = proxy.accepted;
          proxy.cutAll();
          await started.is('connecting');
          await eventually(() => proxy.accepted >= accepted + 2);
        },
        'connecting after a loss, where nobody listens': async ({ proxy, started }) => {
          await proxy.admit('refuse');
          proxy.cutAll();
          await started.is('connecting');
        },
        undeliverable: async ({ proxy, started }) => {
          proxy.onStartup = (connection) => (connection.onFrame = ({ kind }) => (kind === 'A' ? 'drop' : 'pass'));
          proxy.cutAll();
          await started.is('undeliverable');
        },
      };
      await Promise.all(
        Object.entries(states).map(async ([state, reach]) => {
          const faulty = await startFaulty();
          const { proxy, admin, started, calls } = faulty;
          await reach(faulty);
          calls.length = 0;
          const tookMs = stopTime(() => started.notifier.stop());
          await admin.notify('romancy_look_at_everything', '{}');
          expect(await tookMs, state).toBeLessThan(2000);
          expect(started.notifier.status(), state).toMatchObject({ state: 'stopped' });
          await proxy.admit('forward');
          proxy.onStartup = () => undefined;
          const accepted = proxy.accepted;
          for (const { toClient, toServer } of proxy.connections) toClient.mode = toServer.mode = 'pass';
          await eventually(async () => (await admin.sessions()).length === 0);
          expect(calls, state).toEqual([]);
          expect(proxy.accepted, state).toBe(accepted);
        }),
      );
    },
  );

  it('calls no handler afterwards, in whatever state it was', async () => {
    const { url } = await createDatabase();
    const admin = await watchingClient(url);
    const calls: string[] = [];
    let stopped = false;
    const note = (what: string): void => void (stopped && calls.push(what));
    for (const afterMs of [0, 2, 5, 10, 15, 20, 30, 50]) {
      stopped = false;
      const { notifier } = await startNotifier(
        { connectionString: url },
        {
          onWakeups: () => note('wakeups'),
          onSweep: async () => note('sweep'),
          onStateChange: (state) => note(state),
          onPresence: () => note('presence'),
        },
      );
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const stopping = notifier.stop();
      stopped = true;
      await admin.notify('romancy_look_at_everything', '{}');
      await stopping;
      await admin.notify('romancy_outbox_pending', { event_id: 'e' });
    }
    await eventually(async () => (await admin.sessions()).length === 0);
    expect(calls).toEqual([]);
  });

  it('may be followed by another start', async () => {
    const { url } = await createDatabase();
    const first = await healthyNotifier({ connectionString: url });
    await first.notifier.stop();
    const { notifier } = first;
    const { systemClock: clock, systemEntropy: entropy } = await import('./real-time.js');
    const host = { onWakeups: () => undefined, onSweep: async () => undefined, onStateChange: () => undefined };
    await notifier.start({ ...host, clock, entropy, logger: first.logger, fallbackIntervalMs: 1, onPresence: () => undefined });
    await first.is('healthy');
    expect(first.presences.at(-1)).not.toBeNull();
  });
});

describe('a process', () => {
  it('ends although its notifier is healthy and nobody stops it', async () => {
    const { url } = await createDatabase();
    const fixture = spawnFixture(await compileFixture(new URL('fixtures/idle-notifier.ts', import.meta.url)), [url]);
    await fixture.message(({ state }) => state === 'healthy');
    expect(await fixture.exited).toEqual({ code: 0, signal: null });
  });

  it('waits for the stop that it asked for', async () => {
    const { url } = await createDatabase();
    const fixture = spawnFixture(await compileFixture(new URL('fixtures/idle-notifier.ts', import.meta.url)), [url, 'stop']);
    await fixture.message(({ stopped }) => stopped === true);
    expect(await fixture.exited).toEqual({ code: 0, signal: null });
  });
});
