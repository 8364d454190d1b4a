// What is known of the storage's clock: never later than it, never earlier, whatever the network and the local clock do.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.js';
import { StorageClock } from './storage-time.js';

describe('the storage’s clock', () => {
  it('is the local one until the first answer', () => {
    const clock = new ManualClock({ now: 5000 });
    const time = new StorageClock(clock);
    expect([time.now(), time.ahead()]).toEqual([5000, 5000]);
  });

  it('lies between question and answer, and goes on by the monotonic clock', async () => {
    const clock = new ManualClock({ now: 5000 });
    const time = new StorageClock(clock);
    await clock.advance(100);
    // Asked at 60, answered at 100: somewhere in between the storage's clock showed 90,000.
    time.set(90_000, 60);
    expect([time.now(), time.ahead()]).toEqual([90_000, 90_040]);
    clock.setWallClock(1);
    await clock.advance(1000);
    expect([time.now(), time.ahead()]).toEqual([91_000, 91_040]);
  });

  it('is known better with each answer that came faster, and not worse with one that took long', async () => {
    const clock = new ManualClock({ now: 0 });
    const time = new StorageClock(clock);
    await clock.advance(1000);
    time.set(50_500, 0);
    expect(time.ahead() - time.now()).toBe(1000);
    await clock.advance(10);
    // The storage is 49,600 ahead of this process's monotonic clock.
    time.observe(49_600 + 1005, 1000);
    expect(time.ahead() - time.now()).toBeLessThanOrEqual(10);
    const [now, ahead] = [time.now(), time.ahead()];
    await clock.advance(2000);
    time.observe(49_600 + 1500, 1010);
    expect([time.now(), time.ahead()]).toEqual([now + 2000, ahead + 2000]);
  });

  it('is never behind the latest answer: what was handed out as due is due', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ rest: fc.nat(50), there: fc.nat(200), back: fc.nat(200) }), { minLength: 1 }),
        (questions) => {
          let monotonic = 0;
          const clock = { now: () => 123, monotonic: () => monotonic, schedule: () => () => undefined };
          const time = new StorageClock(clock);
          const storage = (): number => 1_000_000 + monotonic;
          for (const [index, { rest, there, back }] of questions.entries()) {
            monotonic += rest;
            const sentAt = monotonic;
            monotonic += there;
            const answer = storage();
            monotonic += back;
            if (index === 0) time.set(answer, sentAt);
            else time.observe(answer, sentAt);
            expect(time.now()).toBeGreaterThanOrEqual(answer);
            expect(time.now()).toBeLessThanOrEqual(storage());
            expect(time.ahead()).toBeGreaterThanOrEqual(storage());
          }
        },
      ),
    );
  });

  it('is believed anew when the storage’s clock was set, forwards or back', async () => {
    for (const jump of [3_600_000, -3_600_000]) {
      const clock = new ManualClock({ now: 0 });
      const time = new StorageClock(clock);
      time.set(1_000_000_000, 0);
      await clock.advance(50);
      time.observe(1_000_000_050 + jump, 45);
      expect(time.now()).toBe(1_000_000_050 + jump);
      expect(time.ahead()).toBe(1_000_000_055 + jump);
    }
  });
});
