// The manual clock moves when told, runs timers in order, and lets what they begin come to rest.
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../domain/errors.js';
import { ManualClock } from './manual-clock.js';

const day = 86_400_000;

describe('ManualClock', () => {
  it('stands still by itself', async () => {
    const clock = new ManualClock({ now: 1000 });
    let fired = false;
    clock.schedule(0, () => (fired = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect([clock.now(), clock.monotonic(), fired]).toEqual([1000, 0, false]);
    await clock.advance(0);
    expect(fired).toBe(true);
  });

  it('runs timers at their time, in order, equal ones in the order in which they were scheduled', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const at = (ms: number, name: string) => clock.schedule(ms, () => log.push(`${name}@${clock.monotonic()}`));
    at(30, 'c');
    at(10, 'a');
    at(20, 'b1');
    at(20, 'b2');
    at(31, 'late');
    await clock.advance(30);
    expect(log).toEqual(['a@10', 'b1@20', 'b2@20', 'c@30']);
    expect([clock.monotonic(), clock.pendingTimers, clock.nextTimerIn]).toEqual([30, 1, 1]);
  });

  it('runs timers that come up on the way, each after what the one before began has come to rest', async () => {
    const clock = new ManualClock();
    const log: number[] = [];
    const poll = async (): Promise<void> => {
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      log.push(clock.monotonic());
      clock.schedule(100, () => void poll());
    };
    clock.schedule(100, () => void poll());
    await clock.advance(450);
    expect(log).toEqual([100, 200, 300, 400]);
  });

  it('runs a month of timers at once', async () => {
    const clock = new ManualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.schedule(60_000, tick);
    };
    clock.schedule(60_000, tick);
    await clock.advance('30d');
    expect(ticks).toBe(30 * 24 * 60);
  });

  it('takes years', async () => {
    const clock = new ManualClock();
    let fired = false;
    clock.schedule(20 * 365 * day, () => (fired = true));
    await clock.advance(20 * 365 * day - 1);
    expect(fired).toBe(false);
    await clock.advance(1);
    expect(fired).toBe(true);
  });

  it('jumps to the next timer, and says when there is none', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    clock.schedule(5 * day, () => log.push('second'));
    clock.schedule(day, () => log.push('first'));
    clock.schedule(day, () => log.push('first too'));
    expect(await clock.runNext()).toBe(true);
    expect([log, clock.monotonic()]).toEqual([['first', 'first too'], day]);
    expect(await clock.runNext()).toBe(true);
    expect(clock.monotonic()).toBe(5 * day);
    expect(await clock.runNext()).toBe(false);
  });

  it('takes timers back, twice too, and also those of the moment that is running', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const cancel = clock.schedule(10, () => log.push('cancelled'));
    clock.schedule(10, () => {
      log.push('first');
      cancelSecond();
    });
    const cancelSecond = clock.schedule(10, () => log.push('second'));
    cancel();
    cancel();
    await clock.advance(10);
    cancelSecond();
    expect(log).toEqual(['first']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets the wall clock be set without moving a timer', async () => {
    const clock = new ManualClock({ now: 1_000_000 });
    let firedAt: number | undefined;
    clock.schedule(1000, () => (firedAt = clock.monotonic()));
    await clock.advance(400);
    clock.setWallClock(500);
    expect([clock.now(), clock.monotonic()]).toEqual([500, 400]);
    clock.setWallClock(9_000_000);
    await clock.advance(599);
    expect(firedAt).toBeUndefined();
    await clock.advance(1);
    expect([firedAt, clock.now()]).toEqual([1000, 9_000_600]);
  });

  it('advances to a time on the wall, and never back', async () => {
    const clock = new ManualClock({ now: 5000 });
    await clock.advanceTo(7000);
    expect([clock.now(), clock.monotonic()]).toEqual([7000, 2000]);
    await expect(clock.advanceTo(6999)).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('goes through advances one after the other', async () => {
    const clock = new ManualClock();
    const log: number[] = [];
    for (const ms of [10, 20, 30]) clock.schedule(ms, () => log.push(ms));
    await Promise.all([clock.advance(15), clock.advance(10), clock.advance(5)]);
    expect([log, clock.monotonic()]).toEqual([[10, 20, 30], 30]);
  });

  it('hands on what a timer throws, and goes on afterwards', async () => {
    const clock = new ManualClock();
    clock.schedule(10, () => {
      throw new Error('broken');
    });
    let fired = false;
    clock.schedule(20, () => (fired = true));
    await expect(clock.advance(30)).rejects.toThrow('broken');
    expect(clock.monotonic()).toBe(10);
    await clock.advance(10);
    expect(fired).toBe(true);
  });

  it('gives up on timers that never let time pass', async () => {
    const clock = new ManualClock({ settle: () => Promise.resolve() });
    const again = (): void => void clock.schedule(0, again);
    again();
    await expect(clock.advance(1)).rejects.toThrow('time cannot pass');
  });
});
