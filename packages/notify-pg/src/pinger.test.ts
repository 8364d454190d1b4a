// What counts as a proof, when one is asked for, and what a silence says.
import { ManualClock, seededEntropy } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ping } from './ping.js';
import { Pinger } from './pinger.js';

let clock: ManualClock;
let pings: Ping[];
let events: string[];
let answeredAt: number;
let pinger: Pinger;
/** What becomes of a ping as soon as it is sent. */
let fate: (ping: Ping) => void;

const sentOnly = (ping: Ping): void => {
  ping.given();
  ping.sent();
  answeredAt = clock.monotonic();
};
const sentAndHeard = (ping: Ping): void => {
  sentOnly(ping);
  queueMicrotask(() => pinger.heard(ping.nonce));
};

beforeEach(() => {
  clock = new ManualClock();
  pings = [];
  events = [];
  answeredAt = Number.NEGATIVE_INFINITY;
  fate = sentAndHeard;
  pinger = new Pinger({
    clock,
    entropy: seededEntropy(1),
    intervalMs: 15_000,
    timeoutMs: 3000,
    send: (nonce) => {
      const ping = new Ping(nonce, clock);
      pings.push(ping);
      fate(ping);
      return ping;
    },
    answeredAt: () => answeredAt,
    onProven: () => events.push('proven'),
    onSilence: (silence) => events.push(silence),
  });
});

describe('a pinger', () => {
  it('asks at once, is proven by its own nonce, and asks again every 15 s', async () => {
    pinger.start();
    await clock.advance(0);
    expect([events, pings.length]).toEqual([['proven'], 1]);
    await clock.advance('14999ms');
    expect(pings.length).toBe(1);
    await clock.advance('1ms');
    expect(pings.length).toBe(2);
    await clock.advance('45s');
    expect([events, pings.length]).toEqual([['proven'], 5]);
  });

  it('takes any note as a proof, and what was sent meanwhile as the other half, so that a busy process asks for nothing', async () => {
    pinger.start();
    await clock.advance(0);
    for (let second = 0; second < 60; second++) {
      await clock.advance('1s');
      answeredAt = clock.monotonic();
      pinger.heard(null);
    }
    expect([events, pings.length]).toEqual([['proven'], 1]);
  });

  it('asks when it only hears, for that says nothing of sending', async () => {
    pinger.start();
    await clock.advance(0);
    for (let second = 0; second < 16; second++) {
      await clock.advance('1s');
      pinger.heard(null);
    }
    expect(pings.length).toBe(2);
  });

  it('asks once also when the nonce is heard before the server has answered', async () => {
    fate = (ping) => {
      ping.given();
      queueMicrotask(() => pinger.heard(ping.nonce));
    };
    pinger.start();
    await clock.advance('14999ms');
    expect([events, pings.length]).toEqual([['proven'], 1]);
  });

  it('takes nobody else’s note as the first proof', async () => {
    fate = sentOnly;
    pinger.start();
    await clock.advance('1s');
    pinger.heard(null);
    pinger.heard('of somebody else');
    await clock.advance('1999ms');
    expect(events).toEqual([]);
    await clock.advance('1ms');
    expect(events).toEqual(['unheard']);
  });

  it('finds a silent session within 18 s of the last note', async () => {
    pinger.start();
    await clock.advance(0);
    fate = sentOnly;
    await clock.advance('17999ms');
    expect(events).toEqual(['proven']);
    await clock.advance('1ms');
    expect(events).toEqual(['proven', 'unheard']);
  });

  it('does not call a session deaf that hears others while its own nonce is late', async () => {
    pinger.start();
    await clock.advance(0);
    fate = sentOnly;
    await clock.advance('16s');
    pinger.heard(null);
    await clock.advance('2s');
    expect(events).toEqual(['proven']);
  });

  it('tells what was not sent from what was not heard, and goes on asking', async () => {
    fate = () => undefined;
    pinger.start();
    await clock.advance('6s');
    expect(events).toEqual(['unsent', 'unsent']);
    fate = (ping) => ping.given();
    await clock.advance('3s');
    fate = sentAndHeard;
    await clock.advance('3s');
    expect(events).toEqual(['unsent', 'unsent', 'unsent', 'unanswered', 'proven']);
  });

  it('trusts others’ notes for a while when it cannot send itself', async () => {
    pinger.start();
    await clock.advance(0);
    fate = () => undefined;
    await clock.advance('14s');
    pinger.heard(null);
    await clock.advance('10s');
    expect(events).toEqual(['proven']);
    await clock.advance('10s');
    expect(events).toContain('unsent');
  });

  it('says so when it cannot send for two intervals, however much it hears, and is well again with its own nonce', async () => {
    pinger.start();
    await clock.advance(0);
    fate = () => undefined;
    for (let second = 0; second < 29; second++) {
      await clock.advance('1s');
      pinger.heard(null);
    }
    expect(events).toEqual(['proven']);
    for (let second = 0; second < 2; second++) {
      await clock.advance('1s');
      pinger.heard(null);
    }
    expect(events).toEqual(['proven', 'unsent']);
    fate = sentAndHeard;
    await clock.advance('3s');
    expect(events.at(-1)).toBe('proven');
  });

  it('gives what a slow server has just sent time to arrive', async () => {
    fate = (ping) => {
      ping.given();
      clock.schedule(2900, () => sentOnly(ping));
    };
    pinger.start();
    await clock.advance('4400ms');
    pinger.heard(pings[0]!.nonce);
    expect(events).toEqual(['proven']);
  });

  it('reads what lies in the socket before it calls a session silent, after this process slept', async () => {
    pinger.start();
    await clock.advance(0);
    fate = sentOnly;
    await clock.advance('15s');
    await clock.jump('1m');
    expect(events).toEqual(['proven']);
    fate = sentAndHeard;
    pinger.heard(pings.at(-1)!.nonce);
    await clock.advance('3s');
    expect(events).toEqual(['proven']);
  });

  it('is quiet after stop', async () => {
    pinger.start();
    pinger.stop();
    await clock.advance('1m');
    expect([events, clock.pendingTimers]).toEqual([[], 0]);
  });
});
