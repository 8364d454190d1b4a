// When a worker claims: as rarely as possible, and never too late.
import { beforeEach, describe, expect, it } from 'vitest';
import { LeaseLostError, StorageUnavailableError } from '../domain/errors.js';
import type { ClaimedRun, ClaimRequest, ClaimResult } from '../ports/claim.js';
import type { RunStore } from '../ports/run-store.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns, type RecordingLogger } from '../testing/index.js';
import type { Claimant } from './claimant.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';
import { WorkFinder } from './work-finder.js';

let clock: ManualClock;
let logger: RecordingLogger;
/** Claims that were sent and not answered yet, and what all of them asked for. */
let open: { readonly answer: (result: Partial<ClaimResult>) => void; readonly fail: (error: Error) => void }[];
let requests: ClaimRequest[];
let claimant: Claimant & {
  room: number;
  held: string[];
  readonly begun: string[];
  readonly attended: string[];
  lost: number;
  alone: Claimant['alone'];
};
let finder: WorkFinder;
let isThere: boolean;
/** Half of the jitter: intervals are what they say. */
let randomness: () => number;

beforeEach(() => {
  clock = new ManualClock({ now: 1_000_000 });
  logger = recordingLogger();
  open = [];
  requests = [];
  isThere = true;
  const begun: string[] = [];
  const attended: string[] = [];
  claimant = {
    workerId: 'w',
    room: 5,
    held: [],
    begun,
    attended,
    lost: 0,
    holding: () => claimant.held,
    alone: (work) => work(),
    begin: ({ instanceId }) => void begun.push(instanceId),
    attend: (instanceIds) => void attended.push(...instanceIds),
    surprised: (instanceIds) => instanceIds,
    leaseLost: () => void claimant.lost++,
  };
  const claim = (request: ClaimRequest): Promise<ClaimResult> =>
    new Promise((resolve, reject) => {
      requests.push(request);
      open.push({
        answer: (result) => resolve({ claimed: [], attention: [], nextDueAt: null, now: clock.now(), ...result }),
        fail: reject,
      });
    });
  randomness = () => 0.5;
  const entropy = { random: () => randomness(), uuid: () => 'x' };
  const storageClock = new StorageClock(clock);
  finder = new WorkFinder({
    runs: { claim } as unknown as RunStore,
    workflowNames: ['order'],
    health: new StorageHealth({ clock, logger, entropy: seededEntropy(1), description: 'a test' }),
    storageClock,
    clock,
    entropy,
    logger,
    pace: {
      workflowPollIntervalMs: 1000,
      timerPollIntervalMs: 2000,
      channelTimeoutIntervalMs: 5000,
      notifyFallbackIntervalMs: 30_000,
    },
    batchSize: 3,
    historyLimit: 1000,
    mailLimit: 100,
    claimant: () => (isThere ? claimant : null),
  });
});

const run = (instanceId: string): ClaimedRun => ({ instanceId }) as ClaimedRun;

/** Answers the claim that is in flight, and lets what follows from it happen. */
async function answer(result: Partial<ClaimResult> = {}): Promise<void> {
  open.shift()!.answer(result);
  await settleTurns(3);
}

describe('a work finder', () => {
  it('claims at its start, and then at every poll interval', async () => {
    finder.start();
    await settleTurns(1);
    expect(requests).toEqual([
      { workerId: 'w', workflowNames: ['order'], limit: 3, historyLimit: 1000, mailLimit: 100, holding: null },
    ]);
    await answer();
    await clock.advance(999);
    expect(requests).toHaveLength(1);
    await clock.advance(1);
    await answer();
    await clock.advance(1000);
    expect(requests).toHaveLength(3);
  });

  it('has one claim in flight and one asked for, whatever the number of reasons', async () => {
    for (let times = 0; times < 50; times++) finder.request('told');
    await settleTurns(1);
    for (let times = 0; times < 50; times++) finder.request('told');
    await settleTurns(1);
    expect(requests).toHaveLength(1);
    await answer();
    expect(requests).toHaveLength(2);
    await answer();
    expect(requests).toHaveLength(2);
    expect(finder.claims).toBe(2);
  });

  it('follows a full batch by another at once, and stops where nothing is due', async () => {
    finder.request('told');
    await settleTurns(1);
    await answer({ claimed: ['a', 'b', 'c'].map(run), nextDueAt: clock.now() - 10 });
    expect(requests).toHaveLength(2);
    await answer({ claimed: ['d'].map(run), nextDueAt: clock.now() + 500 });
    expect(requests).toHaveLength(2);
    expect(claimant.begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not go round when what is due cannot be had', async () => {
    finder.request('told');
    await settleTurns(1);
    await answer({ nextDueAt: clock.now() - 10 });
    expect(requests).toHaveLength(1);
  });

  it('without room claims nothing, hears of attention all the same, and claims as soon as a place is free', async () => {
    claimant.room = 0;
    finder.request('told');
    finder.dueAt(clock.now());
    await clock.advance(1);
    expect(requests).toHaveLength(0);
    finder.request('poll');
    await settleTurns(1);
    expect(requests[0]?.limit).toBe(0);
    await answer({ attention: ['mine'], nextDueAt: clock.now() });
    expect(claimant.attended).toEqual(['mine']);
    expect(requests).toHaveLength(1);
    claimant.room = 1;
    finder.roomFreed();
    await settleTurns(1);
    expect(requests[1]?.limit).toBe(1);
    await answer({ claimed: [run('a')], nextDueAt: null });
    // Nothing was left lying: a free place is no reason to ask.
    finder.roomFreed();
    await settleTurns(1);
    expect(requests).toHaveLength(2);
  });

  it('claims when the next instance is due, and not at later times that it was told of meanwhile', async () => {
    finder.request('told');
    await settleTurns(1);
    await answer({ nextDueAt: clock.now() + 300 });
    finder.dueAt(clock.now() + 400);
    finder.dueAt(clock.now() + 200);
    await clock.advance(199);
    expect(requests).toHaveLength(1);
    await clock.advance(1);
    expect(requests).toHaveLength(2);
    await answer({ nextDueAt: clock.now() + 100 });
    await clock.advance(100);
    expect(requests).toHaveLength(3);
    await answer();
    await clock.advance(500);
    expect(requests).toHaveLength(3);
  });

  it('polls rarely while the notifier is healthy, and at the usual pace at once when it is not', async () => {
    finder.start();
    await settleTurns(1);
    await answer();
    finder.notifierIs('healthy');
    await clock.advance(29_999);
    expect(requests).toHaveLength(1);
    finder.notifierIs('connecting');
    expect(finder.pollIntervalMs).toBe(1000);
    await clock.advance(1000);
    expect(requests).toHaveLength(2);
  });

  it.each([
    ['without a notifier', null, 1000],
    ['beside a healthy one', 'healthy', 30_000],
  ] as const)('polls after another time each, give or take a tenth of the interval, %s', async (_, state, intervalMs) => {
    randomness = seededEntropy(3).random;
    finder.start();
    if (state !== null) finder.notifierIs(state);
    await settleTurns(1);
    await answer();
    const gaps: number[] = [];
    for (let polls = 0; polls < 40; polls++) {
      const [since, { length }] = [clock.monotonic(), requests];
      while (requests.length === length) await clock.advance(intervalMs / 100);
      gaps.push((clock.monotonic() - since) / intervalMs);
      await answer();
    }
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.89);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.11);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(0.15);
  });

  it('after a lost answer tells what is held, as it is while nothing is committed', async () => {
    claimant.held = ['before'];
    let isAlone = false;
    claimant.alone = async (work) => {
      isAlone = true;
      claimant.held = ['held'];
      try {
        return await work();
      } finally {
        isAlone = false;
      }
    };
    finder.request('told');
    await settleTurns(1);
    open.shift()!.fail(new StorageUnavailableError('away'));
    await clock.advance(20);
    expect(requests[1]?.holding).toEqual(['held']);
    expect(isAlone).toBe(true);
    await answer({ claimed: [run('lost')] });
    expect(isAlone).toBe(false);
    expect(claimant.begun).toEqual(['lost']);
    finder.request('told');
    await settleTurns(1);
    expect(requests[2]?.holding).toBeNull();
  });

  it('tells its worker when that was declared dead, and goes on claiming for the next one', async () => {
    finder.request('told');
    await settleTurns(1);
    open.shift()!.fail(new LeaseLostError({ workerId: 'w' }));
    await settleTurns(2);
    expect(claimant.lost).toBe(1);
    isThere = false;
    finder.request('told');
    finder.request('told');
    await settleTurns(1);
    expect(requests).toHaveLength(1);
    isThere = true;
    finder.request('told');
    await settleTurns(1);
    expect(requests).toHaveLength(2);
  });

  it('says when a claim failed for good, and tries again at the next poll', async () => {
    finder.start();
    await settleTurns(1);
    open.shift()!.fail(new Error('relation does not exist'));
    await settleTurns(2);
    expect(logger.at('error').map(({ message }) => message)).toEqual(['a claim failed']);
    await clock.advance(1000);
    expect(requests).toHaveLength(2);
  });

  it('sweeps until nothing is left, also when a claim is in flight already', async () => {
    finder.request('told');
    await settleTurns(1);
    let isDone = false;
    const sweep = finder.sweep().then(() => (isDone = true));
    await answer();
    expect([requests.length, isDone]).toEqual([2, false]);
    await answer({ claimed: ['a', 'b', 'c'].map(run), nextDueAt: clock.now() });
    expect([requests.length, isDone]).toEqual([3, false]);
    await answer();
    await sweep;
  });

  it('does not forget what it was told of without room while a claim was in flight', async () => {
    const toldBy = [
      () => finder.request('told'),
      () => finder.heardOfWork({ nextDueAt: clock.now(), attention: [], outboxDueAt: null }, clock.now()),
    ];
    for (const tell of toldBy) {
      claimant.room = 1;
      finder.request('told');
      await settleTurns(1);
      // More runs than places: one that left was claimed anew before its end was known here.
      claimant.room = -1;
      tell();
      await answer();
      const before = requests.length;
      claimant.room = 1;
      finder.roomFreed();
      await settleTurns(1);
      expect(requests).toHaveLength(before + 1);
      await answer();
      finder.roomFreed();
      await settleTurns(1);
      expect(requests).toHaveLength(before + 1);
    }
  });

  it('has swept when the claim that it asked for is over, whatever is asked for meanwhile', async () => {
    finder.request('told');
    await settleTurns(1);
    let swept = 0;
    const first = finder.sweep().then(() => swept++);
    await answer();
    finder.request('told');
    const second = finder.sweep().then(() => swept++);
    await answer();
    expect(swept).toBe(1);
    finder.request('told');
    await answer();
    expect(swept).toBe(2);
    expect(requests).toHaveLength(4);
    const third = finder.sweep().then(() => swept++);
    const stopped = finder.stop();
    await answer();
    await Promise.all([first, second, third, stopped, finder.sweep()]);
  });

  it('tries again after the poll interval what is due and was locked, also when polls are rare', async () => {
    finder.notifierIs('healthy');
    finder.request('told');
    await settleTurns(1);
    for (let claims = 1; claims < 5; claims++) {
      await answer({ nextDueAt: clock.now() - 10 });
      await clock.advance(999);
      expect(requests).toHaveLength(claims);
      await clock.advance(1);
      expect(requests).toHaveLength(claims + 1);
    }
    claimant.room = 0;
    await answer({ nextDueAt: clock.now() - 10 });
    await clock.advance(5000);
    expect(requests).toHaveLength(5);
  });

  it('pauses in a flood of whatever asks for claims in vain, and no longer when it is over', async () => {
    const causes = ['told', 'due', 'sweep'] as const;
    const ask = async (times: number): Promise<void> => {
      for (let count = 0; count < times; count++) {
        finder.request(causes[count % 3]!);
        await settleTurns(1);
        if (open.length > 0) await answer();
      }
    };
    await ask(100);
    expect(requests).toHaveLength(21);
    await clock.advance(1);
    await answer();
    await ask(100);
    expect(requests).toHaveLength(22);
    await clock.advance(2);
    await answer({ claimed: [run('a')] });
    await ask(10);
    expect(requests).toHaveLength(33);
    await ask(11);
    expect(requests).toHaveLength(44);
    await clock.advance('1m');
    const before = requests.length;
    finder.request('due');
    await settleTurns(1);
    expect(requests).toHaveLength(before + 1);
  });

  it('claims for a place that became free while a claim without room was in flight', async () => {
    finder.request('told');
    await settleTurns(1);
    await answer();
    claimant.room = 0;
    finder.request('poll');
    await settleTurns(1);
    claimant.room = 1;
    // Nothing is known to be there yet.
    finder.roomFreed();
    await answer({ nextDueAt: clock.now() });
    expect(requests.map(({ limit }) => limit)).toEqual([3, 0, 1]);
    await answer({ nextDueAt: clock.now() });
    expect(requests).toHaveLength(3);
  });

  it('stopped begins no further claim, hands out what is in flight, and leaves no timer', async () => {
    finder.start();
    await settleTurns(1);
    finder.dueAt(clock.now() + 50);
    const stopped = finder.stop();
    finder.request('told');
    finder.dueAt(clock.now() + 60);
    finder.roomFreed();
    await answer({ claimed: [run('late')], nextDueAt: clock.now() });
    await stopped;
    await clock.advance('1m');
    expect(requests).toHaveLength(1);
    expect(claimant.begun).toEqual(['late']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stopped in an outage waits for nothing', async () => {
    claimant.alone = () => new Promise(() => undefined);
    finder.request('told');
    await settleTurns(1);
    open.shift()!.fail(new StorageUnavailableError('away'));
    await clock.advance(100);
    await finder.stop();
    expect(logger.at('error')).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
