// The storage's health: what is tried again, for how long, and what is said about it.
import { beforeEach, describe, expect, it } from 'vitest';
import { StorageUnavailableError } from '../domain/errors.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns, type RecordingLogger } from '../testing/index.js';
import { StorageHealth } from './storage-health.js';

let clock: ManualClock;
let logger: RecordingLogger;
let health: StorageHealth;

beforeEach(() => {
  clock = new ManualClock();
  logger = recordingLogger();
  health = new StorageHealth({ clock, logger, entropy: seededEntropy(1), description: 'a test' });
});

const away = () => Promise.reject(new StorageUnavailableError('away'));

describe('the health of a storage', () => {
  it('is no matter while calls succeed, or fail for other reasons', async () => {
    expect(await health.keepTrying(async () => 7)).toBe(7);
    await expect(health.keepTrying(() => Promise.reject(new Error('wrong')))).rejects.toThrow('wrong');
    expect(health.available).toBe(true);
    expect(logger.lines).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is told once when it goes and once when it comes back, however many wait', async () => {
    let isUp = false;
    const tries: number[] = [];
    const calls = Array.from({ length: 30 }, (_, index) =>
      health.keepTrying(async () => {
        tries.push(index);
        if (!isUp) throw new StorageUnavailableError('away');
        return index;
      }),
    );
    await clock.advance('1m');
    expect(health.available).toBe(false);
    isUp = true;
    await clock.advance('5s');
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    expect(health.available).toBe(true);
    expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn storage unavailable, trying again until it answers',
      'info storage available again',
    ]);
    expect(logger.lines[1]!.fields['downMs']).toBeGreaterThanOrEqual(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is asked again after delays that grow up to five seconds', async () => {
    const at: number[] = [];
    const abort = new AbortController();
    const trying = health.keepTrying(() => (at.push(clock.monotonic()), away()), abort.signal).catch(() => 'given up');
    await clock.advance('2m');
    const gaps = at.slice(1).map((moment, index) => moment - at[index]!);
    expect(gaps[0]).toBeLessThanOrEqual(20);
    for (const gap of gaps) expect(gap).toBeLessThanOrEqual(5000);
    expect(Math.max(...gaps)).toBeGreaterThan(2500);
    expect(at.length).toBeGreaterThan(24);
    abort.abort();
    expect(await trying).toBe('given up');
  });

  it('is asked no more once the signal aborts: neither before a try, nor in a pause', async () => {
    const reason = new Error('stopped');
    await expect(health.keepTrying(away, AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    let tries = 0;
    const trying = health.keepTrying(() => (tries++, away()), abort.signal);
    await settleTurns(3);
    abort.abort(reason);
    await expect(trying).rejects.toBe(reason);
    expect(tries).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is waited for by hundreds without a warning of the runtime', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const abort = new AbortController();
    const calls = Array.from({ length: 300 }, () => health.keepTrying(away, abort.signal).catch((error: unknown) => error));
    await clock.advance('10s');
    abort.abort(new Error('stopped'));
    await Promise.all(calls);
    await settleTurns(2);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});
