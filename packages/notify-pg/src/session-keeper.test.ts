// When it connects, and how long it waits.
import { ManualClock, seededEntropy } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, openFake } from '../test/fake-client.js';
import { backoffMs } from './backoff.js';
import type { OpenSession } from './open-session.js';
import { SessionKeeper } from './session-keeper.js';

let clock: ManualClock;
let attempts: number[];
let events: string[];
let opened: OpenSession[];
let reachable: boolean;
let keeper: SessionKeeper;

beforeEach(() => {
  clock = new ManualClock();
  attempts = [];
  events = [];
  opened = [];
  reachable = true;
  keeper = new SessionKeeper({
    clock,
    // Always the longest of what jitter allows.
    entropy: { ...seededEntropy(1), random: () => 1 },
    reconnectDelayMs: 60_000,
    open: async () => {
      attempts.push(clock.monotonic());
      if (!reachable) throw new Error('refused');
      return openFake(new FakeClient(), clock);
    },
    onOpen: (open) => {
      opened.push(open);
      events.push('open');
    },
    onLost: (error) => events.push(error.message),
    onFailed: (error) => events.push(error.message),
  });
});

const lose = (): void => opened.at(-1)!.session.destroy(new Error('lost'));
/** Milliseconds between attempts. */
const pauses = (): number[] => attempts.slice(1).map((at, i) => at - attempts[i]!);

describe('the keeper of a session', () => {
  it('waits twice as long after each failure, up to the cap, for ever', async () => {
    reachable = false;
    keeper.start();
    await clock.advance('10m');
    expect(pauses().slice(0, 13)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000]);
    reachable = true;
    await clock.advance('1m');
    expect(events.at(-1)).toBe('open');
  });

  it('connects at once after a session that had worked, however long connecting took before', async () => {
    reachable = false;
    keeper.start();
    await clock.advance('1m');
    reachable = true;
    await clock.advance('1m');
    keeper.proven();
    await clock.advance('1s');
    const before = clock.monotonic();
    lose();
    expect(attempts.at(-1)).toBe(before);
  });

  it('connects no more than ten times a second to a server that ends each session', async () => {
    keeper.start();
    await clock.advance(0);
    for (let ms = 0; ms < 10_000; ms += 10) {
      keeper.proven();
      lose();
      await clock.advance(10);
    }
    expect(attempts.length).toBeLessThanOrEqual(101);
    expect(attempts.length).toBeGreaterThan(95);
    expect(keeper.reopened).toBe(attempts.length - 1);
  });

  it('counts a session that never worked as a failure', async () => {
    keeper.start();
    await clock.advance(0);
    for (let attempt = 0; attempt < 5; attempt++) {
      lose();
      await clock.advance(100 * 2 ** attempt);
    }
    expect(pauses()).toEqual([100, 200, 400, 800, 1600]);
  });

  it('forgets failures after 30 s of health, and not before', async () => {
    reachable = false;
    keeper.start();
    await clock.advance('700ms');
    reachable = true;
    await clock.advance('800ms');
    const failing = async (healthyFor: `${number}s`): Promise<number[]> => {
      keeper.proven();
      await clock.advance(healthyFor);
      reachable = false;
      attempts.length = 0;
      lose();
      await clock.advance('4s');
      reachable = true;
      await clock.advance('30s');
      return pauses();
    };
    expect((await failing('29s'))[0]).toBe(1600);
    expect((await failing('30s'))[0]).toBe(100);
  });

  it('tries no more after stop, and hands out what is open', async () => {
    keeper.start();
    await clock.advance(0);
    expect(keeper.stop()).toBe(opened[0]);
    lose();
    await clock.advance('1h');
    expect([attempts.length, events, clock.pendingTimers]).toEqual([1, ['open'], 0]);
  });
});

describe('the pause before an attempt', () => {
  it('is anything up to its bound', () => {
    const entropy = seededEntropy(7);
    const pauses = Array.from({ length: 1000 }, () => backoffMs(3, 60_000, entropy));
    expect(Math.min(...pauses)).toBeLessThan(10);
    expect(Math.max(...pauses)).toBeGreaterThan(390);
    expect(Math.max(...pauses)).toBeLessThan(400);
    expect(backoffMs(1_000_000, 60_000, { ...entropy, random: () => 0.5 })).toBe(30_000);
  });
});
