// The system's clock: never early, any length of delay, and no hold on the process unless told.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from './system-clock.js';

const dayMs = 86_400_000;

test('tells the time of day and a time that never goes back', () => {
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
  const first = systemClock.monotonic();
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
});

describe('in real time', () => {
  test.each([0, 0.4, 1, 1.5, 3, 7.25, 12])('a callback after %d ms is not early', async (delayMs) => {
    const started = systemClock.monotonic();
    let synchronous = true;
    await new Promise<void>((resolve) => {
      systemClock.schedule(
        delayMs,
        () => {
          expect(synchronous).toBe(false);
          resolve();
        },
        { keepAlive: true },
      );
      synchronous = false;
    });
    expect(systemClock.monotonic() - started).toBeGreaterThanOrEqual(delayMs);
  });

  test('a pending timer holds the process only when told', () => {
    const timeouts = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timeouts();
    const cancel = systemClock.schedule(dayMs, () => {});
    expect(timeouts()).toBe(before);
    const cancelKept = systemClock.schedule(dayMs, () => {}, { keepAlive: true });
    expect(timeouts()).toBe(before + 1);
    cancel();
    cancelKept();
    expect(timeouts()).toBe(before);
  });
});

describe('in faked time', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a delay of years fires once, at its end', () => {
    const callback = vi.fn();
    systemClock.schedule(3 * 365 * dayMs, callback);
    vi.advanceTimersByTime(3 * 365 * dayMs - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(365 * dayMs);
    expect(callback).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 5])('%d ms are as long as that', (delayMs) => {
    const callback = vi.fn();
    systemClock.schedule(delayMs, callback);
    vi.advanceTimersByTime(delayMs - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  test('a setting of the wall clock changes no delay', () => {
    const callback = vi.fn();
    systemClock.schedule(1000, callback);
    vi.setSystemTime(Date.now() + 10 * dayMs);
    vi.advanceTimersByTime(999);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  test('is taken back at any time, in a later part of a long delay too, and harmlessly afterwards', () => {
    const callback = vi.fn();
    const cancelEarly = systemClock.schedule(1000, callback);
    cancelEarly();
    cancelEarly();
    const cancelLate = systemClock.schedule(100 * dayMs, callback);
    vi.advanceTimersByTime(60 * dayMs);
    cancelLate();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100 * dayMs);
    expect(callback).not.toHaveBeenCalled();

    const cancelAfter = systemClock.schedule(5, callback);
    vi.advanceTimersByTime(5);
    expect(callback).toHaveBeenCalledOnce();
    cancelAfter();
  });

  test('a delay below zero is no delay', () => {
    const callback = vi.fn();
    systemClock.schedule(-5, callback);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(callback).toHaveBeenCalledOnce();
  });
});
