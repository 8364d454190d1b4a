// The open calls of a run: which is the oldest, which is due, and whether all of them only wait.
import { describe, expect, it } from 'vitest';
import { OpenCalls } from './open-calls.js';
import type { DurableCall, Waiting } from './operations/durable-call.js';

interface FakeCall extends DurableCall {
  waiting: Waiting | null;
  lives: number;
}

function call(position: number, dueAt?: number | null): FakeCall {
  const fake: FakeCall = {
    verb: 'sleep',
    position,
    id: `c:${position}`,
    waiting: dueAt === undefined ? null : { status: 'waiting_for_timer', dueAt },
    lives: 0,
    isLive: false,
    apply: () => false,
    goLive: () => void fake.lives++,
    expire: () => undefined,
    abandon: () => undefined,
  };
  return fake;
}

function open(...calls: readonly FakeCall[]): OpenCalls {
  const all = new OpenCalls();
  for (const one of calls) all.add(one);
  return all;
}

describe('open calls', () => {
  it('are found by their place, until they are over', () => {
    const [one, two] = [call(0), call(1)];
    const calls = open(one, two);
    expect(calls.at(1)).toBe(two);
    expect([...calls]).toEqual([one, two]);
    expect(calls.first).toBe(one);
    calls.delete(one);
    expect(calls.at(0)).toBeUndefined();
    expect(calls.first).toBe(two);
    calls.clear();
    expect([...calls]).toEqual([]);
    expect(calls.first).toBeUndefined();
  });

  it('go live once each, those too that are opened on the way', () => {
    const late = call(2);
    const one = call(0);
    const calls = open(one, call(1));
    one.goLive = () => {
      one.lives++;
      calls.add(late);
      calls.goLive(late);
    };
    calls.allGoLive();
    calls.allGoLive();
    calls.goLive(one);
    expect([...calls].map((each) => (each as FakeCall).lives)).toEqual([1, 1, 1]);
  });

  it('all wait only when there are some, and none of them does anything else', () => {
    expect(open().allWait).toBe(false);
    expect(open(call(0, null), call(1, 5)).allWait).toBe(true);
    expect(open(call(0, null), call(1)).allWait).toBe(false);
  });

  it('tell the earliest time limit, and of two the older call', () => {
    expect(open(call(0), call(1, null)).firstDue).toBeNull();
    const first = open(call(0, 30), call(1, 10), call(2, null), call(3, 10)).firstDue;
    expect([first?.call.position, first?.dueAt]).toEqual([1, 10]);
  });

  it('are due by their time limit, the earliest first, of equals the older one', () => {
    const calls = open(call(0, 30), call(1, 10), call(2), call(3, 10), call(4, null), call(5, 31));
    expect(calls.dueBy(9)).toEqual([]);
    expect(calls.dueBy(30).map(({ position }) => position)).toEqual([1, 3, 0]);
  });

  it('change while they are gone through, which does no harm', () => {
    const calls = open(call(0), call(1), call(2));
    const seen: number[] = [];
    for (const each of calls) {
      seen.push(each.position);
      calls.delete(each);
      calls.add(call(each.position + 10));
    }
    expect(seen).toEqual([0, 1, 2]);
  });
});
