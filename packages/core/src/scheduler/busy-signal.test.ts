// A worker says that it has runs when that is worth a watch, and not more often than once a second.
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.js';
import { BusySignal } from './busy-signal.js';

let clock: ManualClock;
let signal: BusySignal;
let isBusy: boolean;
let told: number[];

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  isBusy = false;
  const began = clock.monotonic();
  signal = new BusySignal({ clock, isBusy: () => isBusy, tell: () => told.push(clock.monotonic() - began) });
});

const begin = (): void => {
  isBusy = true;
  signal.began();
};

describe('a busy signal', () => {
  it('is given once for a run that lasts, after 200 ms', async () => {
    begin();
    await clock.advance(199);
    expect(told).toEqual([]);
    await clock.advance('1m');
    expect(told).toEqual([200]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not given for short runs, however many there are', async () => {
    for (let run = 0; run < 50; run++) {
      begin();
      await clock.advance(90);
      isBusy = false;
      await clock.advance(10);
    }
    await clock.advance('1m');
    expect(told).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is given at most once a second', async () => {
    for (let run = 0; run < 10; run++) {
      begin();
      await clock.advance(450);
      isBusy = false;
      await clock.advance(50);
    }
    for (const [index, at] of told.entries()) if (index > 0) expect(at - told[index - 1]!).toBeGreaterThanOrEqual(1000);
    expect(told.length).toBeGreaterThanOrEqual(3);
  });

  it('stopped says nothing more', async () => {
    begin();
    signal.stop();
    begin();
    await clock.advance('1m');
    expect(told).toEqual([]);
  });
});
