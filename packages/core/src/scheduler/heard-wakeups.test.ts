// Which claims of others are explained by what was announced by name.
import { expect, it } from 'vitest';
import { ManualClock } from '../testing/index.js';
import { HeardWakeups } from './heard-wakeups.js';

it('explains one claim of another process by each announcement, for ten seconds', async () => {
  const clock = new ManualClock();
  const heard = new HeardWakeups(clock);
  heard.hearOfAll();
  expect(heard.claimedElsewhere('a')).toBe(false);
  heard.hear('a', { toClaim: true });
  expect([heard.claimedElsewhere('a'), heard.claimedElsewhere('a')]).toEqual([true, false]);
  // It was announced all the same.
  expect(heard.has('a')).toBe(true);
  heard.hear('a', { toClaim: true });
  expect(heard.claimedElsewhere('a')).toBe(true);
  heard.hear('b', { toClaim: true });
  await clock.advance(10_001);
  expect(heard.claimedElsewhere('b')).toBe(false);
});
