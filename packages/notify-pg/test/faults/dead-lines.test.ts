// Lines that are dead without anybody saying so: found by the proof that does not come, and never by an error.
import {
  createDatabase,
  eventually,
  type FrameFate,
  startTcpProxy,
  type ProxiedConnection,
  type TcpProxy,
} from '@romancy/test-support';
import { describe, expect, it } from 'vitest';
import { healthyNotifier, type Started } from '../notifier-fixture.js';
import { watchingClient } from '../watching-client.js';
import { fast } from './fast-profile.js';

/** In the fast profile, from the moment the line dies until it is known, at most. */
const foundWithinMs = 4000;

const halfOpen = ({ toClient, toServer }: ProxiedConnection): void => void (toClient.mode = toServer.mode = 'drop');
const deafClient = ({ toClient }: ProxiedConnection): void => void (toClient.mode = 'drop');
const deafServer = ({ toServer }: ProxiedConnection): void => void (toServer.mode = 'drop');

describe('a dead line', () => {
  it('is replaced within four seconds, whichever direction is lost and whichever session it carries', { retry: 2 }, async () => {
    const either = ['listening', 'sending', 'listening|sending'];
    await Promise.all([
      ...either.map((roles) => dies(roles, halfOpen)),
      ...either.map((roles) => dies(roles, deafClient)),
      // The session that listens has nothing to say, and still hears.
      dies('sending', deafServer),
    ]);
  });
});

async function dies(roles: string, fault: (connection: ProxiedConnection) => void): Promise<void> {
  const { url, proxy, started } = await proxied();
  const watching = await watchingClient(url);
  await watching.listen('romancy_outbox_pending');
  const dead = proxy.named(new RegExp(`:(${roles})$`));
  expect(dead).toHaveLength(roles.split('|').length);
  const accepted = proxy.accepted;
  for (const connection of dead) fault(connection);
  const diedAt = performance.now();
  await eventually(() => proxy.accepted >= accepted + dead.length, { timeout: foundWithinMs });
  await eventually(() => started.notifier.state === 'healthy' && started.notifier.status().reconnects >= dead.length, {
    timeout: foundWithinMs - (performance.now() - diedAt),
  });
  // Both ways work again.
  started.notifier.send([{ kind: 'outbox_pending', eventId: 'out' }]);
  await watching.notify('romancy_outbox_pending', { event_id: 'in' });
  await eventually(() => watching.notes.length >= 2 && started.heard.some((wakeup) => wakeup.kind === 'outbox_pending'));
}

describe('a line on which everything passes but notes', () => {
  it('is found deaf within four seconds and replaced', { retry: 2 }, async () => {
    const { proxy, started } = await proxied();
    for (const connection of proxy.named(/:listening$/)) connection.onFrame = noNotes;
    const before = started.states.length;
    await eventually(() => started.states.lastIndexOf('healthy') > before, { timeout: foundWithinMs });
    expect(started.states.slice(before)).toEqual(['connecting', 'catching_up', 'healthy']);
  });

  it('is undeliverable when a new one is no better, says so once, and is healthy when notes pass again', async () => {
    const { proxy, started } = await proxied();
    const everywhere = (treat: (connection: ProxiedConnection) => void): void => {
      for (const connection of proxy.connections) treat(connection);
      proxy.onStartup = treat;
    };
    everywhere((connection) => (connection.onFrame = noNotes));
    await started.is('undeliverable', foundWithinMs);
    const accepted = proxy.accepted;
    await eventually(() => proxy.accepted >= accepted + 2);
    expect(started.logger.matching('transaction pooling')).toHaveLength(1);
    expect(started.notifier.state).toBe('undeliverable');
    everywhere((connection) => (connection.onFrame = () => 'pass'));
    await started.is('healthy', foundWithinMs);
  });
});

describe('a server that takes connections and says nothing', () => {
  it('is given up after the time to connect, for ever again, and used as soon as it speaks', async () => {
    const { proxy, started } = await proxied();
    await proxy.admit('black hole');
    proxy.cutAll();
    await started.is('connecting');
    const accepted = proxy.accepted;
    await eventually(() => proxy.accepted >= accepted + 4, { timeout: 6000 });
    await proxy.admit('forward');
    await started.is('healthy', foundWithinMs);
    expect(started.sweeps()).toBe(2);
  });
});

const noNotes = ({ kind }: { readonly kind: string }): FrameFate => (kind === 'A' ? 'drop' : 'pass');

async function proxied(): Promise<{ readonly url: string; readonly proxy: TcpProxy; readonly started: Started }> {
  const { url } = await createDatabase();
  const proxy = await startTcpProxy(url);
  return { url, proxy, started: await healthyNotifier({ connectionString: proxy.url, ...fast }) };
}
