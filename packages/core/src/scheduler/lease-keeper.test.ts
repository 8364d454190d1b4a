// When a lease is renewed and when others are looked for: seldom, at once when a sign changes, and soon while there is somebody to watch.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageUnavailableError, type LeaseLostError } from '../domain/errors.js';
import type { LeaseStore, UpkeepRequest, UpkeepResult } from '../ports/lease-store.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns, type RecordingLogger } from '../testing/index.js';
import { LeaseKeeper } from './lease-keeper.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';

const quiet: Omit<UpkeepResult, 'now'> = {
  alive: true,
  presence: null,
  reaped: [],
  work: null,
  peers: [],
  relayers: [],
  othersOwnWork: false,
  missing: [],
  wakeups: [],
};

let clock: ManualClock;
let logger: RecordingLogger;
let requests: (UpkeepRequest & { readonly at: number })[];
/** What the storage answers. */
let answer: Partial<UpkeepResult>;
/** Before an answer: a promise that a test holds back. */
let gate: Promise<void>;
let isAway: boolean;
let presence: string | null;
let lost: LeaseLostError[];
let keeper: LeaseKeeper;
let workflowNames: string[];
let isRelayer: boolean;

beforeEach(() => {
  clock = new ManualClock({ now: 1_000_000 });
  logger = recordingLogger();
  requests = [];
  answer = {};
  gate = Promise.resolve();
  isAway = false;
  presence = null;
  lost = [];
  workflowNames = ['order'];
  isRelayer = false;
});

afterEach(() => keeper.stop());

function start(): void {
  // Half of the jitter: intervals are what they say.
  const entropy = { random: () => 0.5, uuid: () => 'x' };
  const leases = {
    async upkeep(request: UpkeepRequest) {
      requests.push({ ...request, at: clock.monotonic() - begun });
      if (isAway) throw new StorageUnavailableError('away');
      const given = { ...quiet, ...answer };
      await gate;
      return { ...given, now: clock.now() };
    },
  } as unknown as LeaseStore;
  keeper = new LeaseKeeper({
    leases,
    leaseMs: 30_000,
    renewalMs: 10_000,
    lookMs: 10_000,
    workflowNames,
    isRelayer,
    health: new StorageHealth({ clock, logger, entropy: seededEntropy(1), description: 'a test' }),
    storageClock: new StorageClock(clock),
    clock,
    entropy,
    logger,
    workerId: () => 'me',
    presence: () => presence,
    onLeaseLost: (error) => lost.push(error),
    onReleased: () => undefined,
    onWork: () => undefined,
  });
  const begun = clock.monotonic();
  keeper.start();
}

const renewals = (): readonly number[] => requests.filter(({ renewal }) => renewal !== null).map(({ at }) => at);

const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `worker-${index}`);

describe('a lease keeper', () => {
  it('makes one upkeep per interval, and nothing besides, however many peers there are', async () => {
    answer = { peers: ['a', 'b'], relayers: ['b', 'c'] };
    start();
    await clock.advance('61s');
    expect(requests.map(({ at }) => at)).toEqual([10, 20, 30, 40, 50, 60].map((seconds) => seconds * 1000));
    expect(renewals()).toHaveLength(6);
    expect(keeper).toMatchObject({ peers: ['a', 'b'], relayers: ['b', 'c'], watchers: 3 });
  });

  it('says a new sign, and that one is gone, at once', async () => {
    start();
    await clock.advance('1s');
    presence = 'sign';
    keeper.renewNow();
    await clock.advance(0);
    presence = null;
    keeper.renewNow();
    await clock.advance(0);
    expect(requests.map(({ at, renewal }) => [at, renewal?.presence])).toEqual([
      [1000, 'sign'],
      [1000, null],
    ]);
    await clock.advance('10s');
    expect(requests).toHaveLength(3);
  });

  it('says what changed while an upkeep was under way by one that is sent after it', async () => {
    start();
    presence = 'sign';
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    keeper.renewNow();
    await clock.advance(0);
    presence = null;
    keeper.renewNow();
    await clock.advance('5s');
    expect(requests).toHaveLength(1);
    open();
    await clock.advance(1);
    expect(requests.map(({ renewal }) => renewal?.presence)).toEqual(['sign', null]);
  });

  it('looks every second while others own runs that can be watched, renewing as before', async () => {
    answer = { othersOwnWork: true, peers: ['a', 'b'] };
    start();
    keeper.othersAreBusy();
    await clock.advance(9500);
    expect(requests.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((seconds) => seconds * 1000));
    await clock.advance('21s');
    expect(renewals()).toHaveLength(3);
    answer = {};
    await clock.advance('10s');
    const { length } = requests;
    await clock.advance('50s');
    expect(requests.length - length).toBe(5);
  });

  it.each<readonly [string, Partial<UpkeepResult>]>([
    ['peers', { peers: named(12) }],
    ['relayers', { relayers: named(12) }],
    ['of either, and those that are both count once,', { peers: named(8), relayers: named(12).slice(4) }],
  ])('looks the more seldom the more %s look as well', async (_, others) => {
    answer = { othersOwnWork: true, ...others };
    start();
    keeper.othersAreBusy();
    await clock.advance('1s');
    const { length } = requests;
    await clock.advance('60s');
    expect(requests.length - length).toBeGreaterThanOrEqual(10);
    expect(requests.length - length).toBeLessThanOrEqual(16);
  });

  it('goes on looking when it hears of a busy worker while a look is under way that began before', async () => {
    start();
    keeper.othersAreBusy();
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    await clock.advance('1s');
    keeper.othersAreBusy();
    gate = Promise.resolve();
    open();
    await clock.advance('1s');
    expect(requests).toHaveLength(2);
    await clock.advance('5s');
    expect(requests).toHaveLength(2);
  });

  it('suspects who is missing for a second, with the sign by which it was missed, and nobody else', async () => {
    answer = { othersOwnWork: true, missing: [{ workerId: 'a', presence: 'one' }] };
    start();
    keeper.othersAreBusy();
    await clock.advance('1s');
    answer = { othersOwnWork: true, missing: [{ workerId: 'a', presence: 'two' }] };
    await clock.advance('1s');
    // It asked for the first sign, which is not the one any more.
    expect(requests.map(({ suspects }) => suspects)).toEqual([[], [{ workerId: 'a', presence: 'one' }]]);
    answer = { reaped: [{ workerId: 'a', released: 2 }] };
    await clock.advance('1s');
    expect(requests[2]?.suspects).toEqual([{ workerId: 'a', presence: 'two' }]);
    expect(logger.matching('a worker is dead')).toHaveLength(1);
    await clock.advance('6s');
    expect(requests).toHaveLength(3);
  });

  it('suspects nobody by what it saw before an outage, and gives everybody ten seconds after it', async () => {
    const missing = { othersOwnWork: true, missing: [{ workerId: 'a', presence: 'one' }] };
    answer = missing;
    start();
    keeper.othersAreBusy();
    await clock.advance(1500);
    isAway = true;
    await clock.advance('12s');
    isAway = false;
    requests.length = 0;
    await clock.advance('5s');
    const [first] = requests;
    expect(first).toMatchObject({ suspects: [] });
    await clock.advance('20s');
    const suspecting = requests.find(({ suspects }) => suspects.length > 0);
    expect(suspecting!.at - first!.at).toBeGreaterThanOrEqual(10_000);
    expect(suspecting!.at - first!.at).toBeLessThan(11_100);
  });

  it('suspects nobody for ten seconds after its own sign was lost: others may have lost theirs by the same', async () => {
    presence = 'sign';
    answer = { othersOwnWork: true };
    start();
    keeper.othersAreBusy();
    keeper.renewNow();
    await clock.advance('2s');
    requests.length = 0;
    presence = 'new';
    answer = { othersOwnWork: true, missing: [{ workerId: 'a', presence: 'one' }] };
    keeper.renewNow();
    await clock.advance('20s');
    const suspecting = requests.find(({ suspects }) => suspects.length > 0);
    expect(suspecting!.at - requests[0]!.at).toBeGreaterThanOrEqual(10_000);
  });

  it('does not look again and again for one whose row is locked', async () => {
    answer = { othersOwnWork: true, missing: [{ workerId: 'a', presence: 'one' }] };
    start();
    keeper.othersAreBusy();
    await clock.advance('9s');
    expect(requests).toHaveLength(9);
  });

  it('of a process that could not take over looks at its renewals alone', async () => {
    workflowNames = [];
    answer = { othersOwnWork: true };
    start();
    keeper.othersAreBusy();
    await clock.advance('31s');
    expect(requests).toHaveLength(3);
  });

  it('of a process that serves no workflow, but sends events, looks as any other', async () => {
    workflowNames = [];
    isRelayer = true;
    answer = { othersOwnWork: true };
    start();
    keeper.othersAreBusy();
    await clock.advance('9500ms');
    expect(requests).toHaveLength(9);
  });

  it('says that its lease is lost', async () => {
    answer = { alive: false };
    start();
    await clock.advance('10s');
    expect(lost).toMatchObject([{ workerId: 'me' }]);
  });

  it('stopped leaves no timer', async () => {
    start();
    await keeper.stop();
    keeper.renewNow();
    keeper.othersAreBusy();
    await settleTurns(2);
    expect([clock.pendingTimers, requests.length]).toEqual([0, 0]);
  });
});
