// The state that counts: the notifier's, or lossy on top of it, and each change told once.
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryNotifierHub, ManualClock, recordingLogger, type RecordingLogger } from '../testing/index.js';
import { NotifierWatch } from './notifier-watch.js';

let clock: ManualClock;
let logger: RecordingLogger;
let watch: NotifierWatch;
let told: string[];

beforeEach(() => {
  clock = new ManualClock({ now: 1_000_000 });
  logger = recordingLogger();
  told = [];
  watch = new NotifierWatch({
    notifier: createMemoryNotifierHub().createNotifier(),
    clock,
    logger,
    onChange: (state) => told.push(`pace ${state}`),
    tell: ({ state, previous, reason }) => told.push(`${previous} > ${state}: ${reason}`),
  });
});

describe('a notifier watch', () => {
  it('tells each change once, the pace first', () => {
    watch.notifierIs('connecting', 'started');
    watch.notifierIs('connecting', 'still');
    watch.notifierIs('healthy', 'proven');
    expect(told).toEqual(['pace connecting', 'stopped > connecting: started', 'pace healthy', 'connecting > healthy: proven']);
    expect(logger.lines).toEqual([]);
  });

  it('is lossy only while the notifier is healthy, and says so in the log', async () => {
    watch.lossyIs(true, 'early');
    expect(watch.state).toBe('stopped');
    watch.notifierIs('connecting', 'started');
    watch.notifierIs('healthy', 'proven');
    expect(watch.state).toBe('healthy');
    await clock.advance(10);
    watch.lossyIs(true, '7 of 9');
    expect([watch.state, watch.isTrusted]).toEqual(['lossy', true]);
    expect(watch.status()).toMatchObject({ state: 'lossy', since: 1_000_010 });
    watch.lossyIs(false, 'calm');
    expect(watch.state).toBe('healthy');
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    watch.lossyIs(true, 'again');
    watch.notifierIs('connecting', 'cut');
    watch.notifierIs('healthy', 'back');
    expect(watch.state).toBe('healthy');
  });

  it('has a status whatever its notifier does', () => {
    const broken = new NotifierWatch({
      notifier: Object.assign(createMemoryNotifierHub().createNotifier(), {
        status: (): never => {
          throw new Error('broken');
        },
      }),
      clock,
      logger,
      onChange: () => undefined,
      tell: () => undefined,
    });
    expect(broken.status()).toMatchObject({ state: 'stopped', since: 1_000_000, sent: 0 });
  });
});
