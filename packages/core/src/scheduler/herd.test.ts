// Who goes first: two of many, the same for everybody, and the rest in time when those do not.
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, seededEntropy } from '../testing/index.js';
import { Herd, type TurnCause } from './herd.js';

const workers = Array.from({ length: 12 }, (_, index) => `worker-${index}`);

let clock: ManualClock;
/** Who has claimed, in order, and when. */
let claims: { readonly workerId: string; readonly at: number; readonly cause: TurnCause }[];
let began: number;

beforeEach(() => {
  clock = new ManualClock();
  claims = [];
  began = clock.monotonic();
});

function herd(workerId: string, all: readonly string[] = workers): Herd {
  const peers = all.filter((other) => other !== workerId);
  return new Herd({
    clock,
    entropy: seededEntropy(workerId.length),
    workerId: () => workerId,
    peers: () => peers,
    claim: (cause) => claims.push({ workerId, at: clock.monotonic() - began, cause }),
  });
}

describe('a herd', () => {
  it('of up to four goes all at once', () => {
    const all = workers.slice(0, 4);
    const herds = all.map((workerId) => herd(workerId, all));
    for (const each of herds) each.announced('x');
    expect(claims.map(({ workerId }) => workerId)).toEqual(all);
    expect(herds.some((each) => each.isCrowd)).toBe(false);
  });

  it('of more lets two go at once, the same two for everybody, others for other instances', async () => {
    const firsts = new Map<string, number>();
    for (let instance = 0; instance < 300; instance++) {
      claims = [];
      for (const each of workers.map((workerId) => herd(workerId))) {
        each.announced(`instance-${instance}`);
        each.claimed(`instance-${instance}`, { isNamed: true });
      }
      expect(claims).toHaveLength(2);
      for (const { workerId } of claims) firsts.set(workerId, (firsts.get(workerId) ?? 0) + 1);
    }
    // 50 each, give or take what chance does.
    expect(firsts.size).toBe(workers.length);
    for (const count of firsts.values()) expect(count).toBeGreaterThan(20);
    await clock.advance('1s');
    expect(claims).toHaveLength(2);
  });

  it('lets the rest go by turns, 20 to 150 ms later, when nobody has claimed', async () => {
    for (const each of workers.map((workerId) => herd(workerId))) each.announced('x');
    await clock.advance(19);
    expect(claims).toHaveLength(2);
    await clock.advance(60);
    expect(claims.length).toBeGreaterThan(2);
    expect(claims.length).toBeLessThan(workers.length);
    await clock.advance(71);
    expect(new Set(claims.map(({ workerId }) => workerId)).size).toBe(workers.length);
    for (const { at } of claims.slice(2)) expect(at).toBeGreaterThanOrEqual(20);
  });

  it('makes one claim for all that is due at the same time, and none for what was claimed meanwhile', async () => {
    const last = herd('worker-0');
    for (let instance = 0; instance < 5000; instance++) last.announced(`instance-${instance}`);
    const atOnce = claims.length;
    // Two of twelve.
    expect(atOnce).toBeGreaterThan(600);
    expect(atOnce).toBeLessThan(1100);
    for (let instance = 0; instance < 5000; instance++) last.claimed(`instance-${instance}`, { isNamed: true });
    await clock.advance(200);
    // More wait than are remembered one by one: these were not told of as claimed.
    expect(claims.length - atOnce).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves what is for nobody by name when some was claimed meanwhile, and joins in when none was, or much', async () => {
    for (const [claimed, expected] of [
      [0, 12],
      [1, 2],
      [19, 2],
      [20, 12],
    ] as const) {
      claims = [];
      const herds = workers.map((workerId) => herd(workerId));
      for (const each of herds) each.announcedToSome('message');
      for (const each of herds) for (let one = 0; one < claimed; one++) each.claimed(`instance-${one}`, { isNamed: false });
      await clock.advance(150);
      expect(claims).toHaveLength(expected);
    }
  });

  it('takes its turn when that has come, however often the same is announced', async () => {
    const herds = workers.map((workerId) => herd(workerId));
    for (const each of herds) each.announced('x');
    for (let times = 0; times < 15; times++) {
      await clock.advance(10);
      for (const { workerId, each } of herds.map((each, index) => ({ each, workerId: workers[index] }))) {
        if (!claims.some((claim) => claim.workerId === workerId)) each.announced('x');
      }
    }
    expect(new Set(claims.map(({ workerId }) => workerId)).size).toBe(workers.length);
  });

  it('does not take claims of what was announced by name for claims of what is for nobody by name', async () => {
    const herds = workers.map((workerId) => herd(workerId));
    for (const each of herds) each.announcedToSome('message');
    for (const each of herds) each.claimed('instance', { isNamed: true });
    await clock.advance(150);
    expect(claims).toHaveLength(workers.length);
  });

  it('stopped claims nothing more', async () => {
    const herds = workers.map((workerId) => herd(workerId));
    for (const each of herds) each.announced('x');
    for (const each of herds) each.stop();
    await clock.advance('1s');
    expect(claims).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets two go at once for a due time, the same two for everybody, and the rest only when nobody had it, or there is much', async () => {
    for (const [claimed, expected] of [
      [0, 12],
      [1, 2],
      [19, 2],
      [20, 12],
    ] as const) {
      for (let moment = 1000; moment < 1010; moment++) {
        claims = [];
        began = clock.monotonic();
        const herds = workers.map((workerId) => herd(workerId));
        for (const each of herds) each.due(moment);
        expect(claims.map(({ at }) => at)).toEqual([0, 0]);
        for (const each of herds) for (let one = 0; one < claimed; one++) each.claimed(`instance-${one}`, { isNamed: false });
        await clock.advance(150);
        expect(new Set(claims.map(({ workerId }) => workerId)).size).toBe(expected);
        expect(claims.every(({ cause }) => cause === 'due')).toBe(true);
      }
    }
  });

  it('of up to four claims all at once for a due time', () => {
    const all = workers.slice(0, 4);
    for (const workerId of all) herd(workerId, all).due(1000);
    expect(claims).toHaveLength(4);
  });

  it('lets who had the last due time go at once for the next, and who claimed in vain only when nobody had it', async () => {
    const learnedAt = clock.monotonic();
    const claimsOf = (prepare: (each: Herd, moment: number) => void): number => {
      claims = [];
      for (let moment = 0; moment < 300; moment++) {
        const each = herd('worker-0');
        prepare(each, moment);
        each.due(moment);
        each.stop();
      }
      return claims.length;
    };
    await clock.advance(5);
    const byTurns = claimsOf(() => undefined);
    // Two of twelve, give or take what chance does.
    expect(byTurns).toBeGreaterThan(25);
    expect(byTurns).toBeLessThan(80);
    expect(claimsOf((each, at) => each.learned({ at, isKnownHere: true, sentAt: learnedAt }))).toBe(300);
    expect(claimsOf((each, at) => each.learned({ at, isKnownHere: false, sentAt: learnedAt }))).toBe(300);
    const heard = (each: Herd): void => each.claimed('instance', { isNamed: false });
    const hadByOther = (each: Herd, at: number): void => {
      each.learned({ at, isKnownHere: false, sentAt: learnedAt });
      heard(each);
    };
    expect(claimsOf(hadByOther)).toBe(byTurns);
    const hadHere = (each: Herd, at: number): void => {
      each.learned({ at, isKnownHere: true, sentAt: learnedAt });
      // A claim in between, for something else and in vain, is told of the same time.
      each.learned({ at, isKnownHere: false, sentAt: learnedAt });
      heard(each);
    };
    expect(claimsOf(hadHere)).toBe(300);
    expect(claimsOf((each, at) => each.learned({ at: at + 1, isKnownHere: true, sentAt: learnedAt }))).toBe(byTurns);
  });

  it('takes a claim shortly before a due time was noticed for the claim of that', async () => {
    const herds = workers.map((workerId) => herd(workerId));
    for (const each of herds) each.claimed('instance', { isNamed: false });
    await clock.advance(20);
    for (const each of herds) each.due(1000);
    await clock.advance(150);
    expect(claims).toHaveLength(2);
    for (const each of herds) each.due(2000);
    await clock.advance(150);
    expect(new Set(claims.map(({ workerId }) => workerId)).size).toBe(12);
  });
});
