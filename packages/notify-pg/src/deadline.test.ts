// When a moment that passed unseen counts, and when not.
import { ManualClock } from '@romancy/core/testing';
import { expect, it } from 'vitest';
import { deadline } from './deadline.js';

it('starts once more after a sleep, and only once in a loop that is blocked again and again', async () => {
  const clock = new ManualClock();
  let late = 0;
  deadline(clock, 1000, () => late++);
  await clock.jump('10s');
  expect([late, clock.pendingTimers]).toEqual([0, 1]);
  await clock.jump('10s');
  expect([late, clock.pendingTimers]).toEqual([1, 0]);
});

it('never comes after it was called off, before or after a sleep', async () => {
  const clock = new ManualClock();
  let late = 0;
  const cancel = deadline(clock, 1000, () => late++);
  await clock.jump('10s');
  cancel();
  await clock.advance('1m');
  expect([late, clock.pendingTimers]).toEqual([0, 0]);
});
