// When polling finds what notes should have told, and when that is only a note on its way.
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.js';
import { HeardWakeups } from './heard-wakeups.js';
import { LostWakeups } from './lost-wakeups.js';

let clock: ManualClock;
let heard: HeardWakeups;
let lost: LostWakeups;
let changes: boolean[];
let instances: number;

beforeEach(() => {
  clock = new ManualClock();
  heard = new HeardWakeups(clock);
  changes = [];
  instances = 0;
  lost = new LostWakeups({ clock, heard, onChange: (isLossy) => changes.push(isLossy) });
});

/** One look that finds so many of which nobody has told, and time enough to judge them. */
async function find(count: number): Promise<void> {
  lost.polled(Array.from({ length: count }, () => `lost-${++instances}`));
  await clock.advance(1000);
}

describe('lost wake-ups', () => {
  it('are noticed when there are at least five of them, in three looks', async () => {
    await find(3);
    await find(3);
    expect(changes).toEqual([]);
    await find(1);
    expect(changes).toEqual([true]);
    expect(lost.found).toBe(7);
    await find(1);
    expect(changes).toEqual([true]);
  });

  it('are none by one stray poll, however much it finds', async () => {
    await find(100);
    await find(1);
    expect(changes).toEqual([]);
  });

  it('are none while they are up to one in a hundred of the last 1,000', async () => {
    lost.toldOf(990);
    for (let look = 0; look < 10; look++) await find(1);
    expect(changes).toEqual([]);
    await find(1);
    expect(changes).toEqual([true]);
  });

  it('are none when a note had come before, or comes within a second', async () => {
    for (let look = 0; look < 10; look++) {
      heard.hear(`before-${look}`, { toClaim: true });
      lost.polled([`before-${look}`, `behind-${look}`]);
      await clock.advance(900);
      heard.hear(`behind-${look}`, { toClaim: true });
      await clock.advance(100);
    }
    lost.polled(['of all']);
    heard.hearOfAll();
    await clock.advance(1000);
    expect([changes, lost.found]).toEqual([[], 0]);
  });

  it('are forgiven after five minutes without, and noticed anew', async () => {
    for (let look = 0; look < 5; look++) await find(1);
    await clock.advance('4m');
    await find(1);
    await clock.advance('299s');
    expect(changes).toEqual([true]);
    await clock.advance('2s');
    expect(changes).toEqual([true, false]);
    for (let look = 0; look < 5; look++) await find(1);
    expect(changes).toEqual([true, false, true]);
  });

  it('are forgotten with their connection, and leave no timer', async () => {
    for (let look = 0; look < 4; look++) await find(1);
    lost.polled(['on its way']);
    lost.reset();
    await find(1);
    expect(changes).toEqual([]);
    lost.polled(['late']);
    lost.stop();
    lost.polled(['later']);
    expect(clock.pendingTimers).toBe(0);
  });
});
