// The hub carries wake-ups as a notifier does, and loses them as a test wants it.
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../app/silent-logger.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { NotifierHost } from '../ports/notifier.js';
import { ManualClock, settleTurns } from './manual-clock.js';
import type { MemoryNotifier } from './memory-notifier.js';
import { createMemoryNotifierHub, type MemoryNotifierHub } from './memory-notifier-hub.js';
import { seededEntropy } from './seeded-entropy.js';

interface End {
  readonly notifier: MemoryNotifier;
  readonly log: string[];
}

let hub: MemoryNotifierHub;
let a: End;
let b: End;
let c: End;

beforeEach(async () => {
  hub = createMemoryNotifierHub();
  [a, b, c] = [await end(), await end(), await end()];
  for (const { log } of [a, b, c]) log.length = 0;
});

describe('memory notifier', () => {
  it('connects, sweeps once, and only then is healthy', async () => {
    const { notifier, log } = await end();
    expect(log).toEqual(['connecting', 'catching_up', 'sweep', 'healthy']);
    expect(notifier.state).toBe('healthy');
  });

  it('carries wake-ups to all others, after the sender has gone on', async () => {
    a.notifier.send([wakeup('1'), wakeup('2')]);
    expect(b.log).toEqual([]);
    await settleTurns(1);
    expect([a.log, b.log, c.log]).toEqual([[], ['1', '2'], ['1', '2']]);
    expect(hub.sent).toEqual([wakeup('1'), wakeup('2')]);
  });

  it('hears nothing before start and after stop, and may be stopped twice and before start', async () => {
    const idle = hub.createNotifier();
    await idle.stop();
    expect(idle.state).toBe('stopped');
    idle.send([wakeup('lost')]);
    await b.notifier.stop();
    await b.notifier.stop();
    a.notifier.send([wakeup('1')]);
    b.notifier.send([wakeup('lost too')]);
    await settleTurns(1);
    expect([b.log, c.log]).toEqual([[], ['1']]);
    expect(b.notifier.state).toBe('stopped');
  });

  it('loses what is sent while it is cut off, and catches up by one sweep', async () => {
    b.notifier.disconnect();
    a.notifier.send([wakeup('1')]);
    b.notifier.send([wakeup('2')]);
    await settleTurns(1);
    expect([a.log, b.log, c.log]).toEqual([[], ['connecting'], ['1']]);
    await b.notifier.reconnect();
    expect(b.log).toEqual(['connecting', 'catching_up', 'sweep', 'healthy']);
    a.notifier.send([wakeup('3')]);
    await settleTurns(1);
    expect(b.log.at(-1)).toBe('3');
  });

  it('starts without a connection, and does not turn healthy by a sweep of an older connection', async () => {
    const far = await end({ reachable: false });
    expect([far.notifier.state, far.log]).toEqual(['connecting', ['connecting']]);
    const connected = far.notifier.reconnect();
    far.notifier.disconnect();
    await connected;
    await settleTurns(1);
    expect(far.notifier.state).toBe('connecting');
  });

  it('changes its state as the test wants it, and tells the host once', async () => {
    a.notifier.setState('undeliverable', 'a pooler is in between');
    a.notifier.setState('undeliverable', 'still');
    b.notifier.send([wakeup('1')]);
    await settleTurns(1);
    expect(a.log).toEqual(['undeliverable']);
    a.notifier.setState('lossy', 'found by polling');
    b.notifier.send([wakeup('2')]);
    await settleTurns(1);
    expect(a.log).toEqual(['undeliverable', 'lossy', '2']);
    await a.notifier.sweep();
    expect(a.log.at(-1)).toBe('sweep');
  });
});

describe('memory notifier hub', () => {
  it('drops, duplicates and delivers as it is told', async () => {
    hub.route('drop');
    a.notifier.send([wakeup('1')]);
    hub.route('duplicate');
    a.notifier.send([wakeup('2')]);
    hub.route(({ wakeup: { kind }, to }) => (kind === 'workflow_resumable' && to === b.notifier ? 'deliver' : 'drop'));
    a.notifier.send([wakeup('3'), { kind: 'outbox_pending', eventId: 'e' }]);
    await settleTurns(1);
    expect([b.log, c.log]).toEqual([
      ['2', '2', '3'],
      ['2', '2'],
    ]);
  });

  it('holds back until it is told to let go', async () => {
    hub.route('hold');
    a.notifier.send([wakeup('1')]);
    b.notifier.send([wakeup('2')]);
    await settleTurns(2);
    expect([b.log, c.log]).toEqual([[], []]);
    hub.release();
    hub.release();
    await settleTurns(1);
    expect([a.log, b.log, c.log]).toEqual([['2'], ['1'], ['1', '2']]);
  });

  it('delays by a clock', async () => {
    const clock = new ManualClock();
    hub.route({ delayMs: 5000, clock });
    a.notifier.send([wakeup('1')]);
    await clock.advance(4999);
    expect(b.log).toEqual([]);
    await clock.advance(1);
    expect([b.log, c.log]).toEqual([['1'], ['1']]);
  });

  it('says beside which storages its notifiers can stand', () => {
    expect(a.notifier.storageKinds).toEqual(['memory', 'sqlite', 'postgres']);
    expect(createMemoryNotifierHub({ storageKinds: ['memory'] }).createNotifier().storageKinds).toEqual(['memory']);
  });
});

function wakeup(instanceId: string): Wakeup {
  return { kind: 'workflow_resumable', instanceId, workflowName: 'order' };
}

async function end(options: { readonly reachable?: boolean } = {}): Promise<End> {
  const notifier = hub.createNotifier(options);
  const log: string[] = [];
  const host: NotifierHost = {
    clock: new ManualClock(),
    entropy: seededEntropy(1),
    logger: silentLogger,
    fallbackIntervalMs: 30_000,
    onPresence: () => log.push('presence'),
    onWakeups: (wakeups) => {
      for (const one of wakeups) log.push(one.kind === 'workflow_resumable' ? one.instanceId : one.kind);
    },
    onSweep: async () => void log.push('sweep'),
    onStateChange: (state) => void log.push(state),
  };
  await notifier.start(host);
  await settleTurns(1);
  return { notifier, log };
}
