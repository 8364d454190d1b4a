// When old things are removed: seldom, a little at a time, and together no more often than one process would alone.
import { describe, expect, it } from 'vitest';
import { StorageUnavailableError } from '../domain/errors.js';
import type { RetentionRequest, RetentionResult } from '../ports/retention-store.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns, type RecordingLogger } from '../testing/index.js';
import { RetentionJob, type RetentionAges } from './retention-job.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';

const nothing: RetentionResult = { instances: 0, sentEvents: 0, seenEvents: 0, queuedMessages: 0, more: false };
const day = 86_400_000;
const ages: RetentionAges = {
  instances: { completed: 7 * day, failed: null, cancelled: 0, recurred: day },
  sentEvents: day,
  seenEvents: 30 * day,
  queuedMessages: null,
  mostQueued: 10_000,
};

interface Stage {
  readonly job: RetentionJob;
  readonly requests: RetentionRequest[];
  readonly logger: RecordingLogger;
}

function stage(
  clock: ManualClock,
  purge: () => Promise<RetentionResult>,
  { seed = 1, others = 0 }: { readonly seed?: number; readonly others?: number } = {},
): Stage {
  const requests: RetentionRequest[] = [];
  const logger = recordingLogger();
  const entropy = seededEntropy(seed);
  const job = new RetentionJob({
    retention: {
      purge: (request) => {
        requests.push(request);
        return purge();
      },
    },
    ages,
    storageTime: new StorageClock(clock),
    health: new StorageHealth({ clock, entropy, logger, description: 'a test' }),
    clock,
    entropy,
    logger,
    others: () => others,
  });
  job.start();
  return { job, requests, logger };
}

describe('a retention job', () => {
  it('asks for what is older than it may be, by the clock of the storage, a little at a time', async () => {
    const clock = new ManualClock({ now: 100 * day });
    let askedAt = 0;
    const { requests, job } = stage(clock, () => {
      askedAt = clock.now();
      return Promise.resolve(nothing);
    });
    await clock.advance('70s');
    const now = requests.length === 1 ? requests[0]!.sentEvents! + day : 0;
    expect(now).toBeGreaterThan(100 * day);
    // Not a moment later, or something would go too early.
    expect(now).toBeLessThanOrEqual(askedAt);
    expect(now).toBeGreaterThan(askedAt - 1000);
    expect(requests).toEqual([
      {
        instances: { completed: now - 7 * day, failed: null, cancelled: now, recurred: now - day },
        sentEvents: now - day,
        seenEvents: now - 30 * day,
        queuedMessages: null,
        mostQueued: 10_000,
        limit: 500,
      },
    ]);
    await job.stop();
  });

  it('comes back after some minutes when there was nothing, and after one when there was something', async () => {
    const clock = new ManualClock();
    let result = nothing;
    const { requests, job } = stage(clock, () => Promise.resolve(result));
    await clock.advance('1h');
    expect(requests.length).toBeGreaterThanOrEqual(10);
    expect(requests.length).toBeLessThanOrEqual(14);
    result = { ...nothing, seenEvents: 3 };
    await clock.advance('10m');
    const before = requests.length;
    await clock.advance('1h');
    expect(requests.length - before).toBeGreaterThanOrEqual(54);
    expect(requests.length - before).toBeLessThanOrEqual(67);
    await job.stop();
  });

  it('goes on while there is more, and rests nine times as long as each batch took', async () => {
    const clock = new ManualClock();
    let left = 5;
    const { requests, job } = stage(clock, async () => {
      await new Promise<void>((resolve) => void clock.schedule(200, resolve));
      return { ...nothing, instances: 1, more: --left > 0 };
    });
    const at: number[] = [];
    for (let ms = 0; ms < 80_000 && at.length < 5; ms += 50) {
      await clock.advance(50);
      while (at.length < requests.length) at.push(clock.monotonic());
    }
    expect(at).toHaveLength(5);
    // 200 ms of work, 1,800 ms of rest.
    expect(at.slice(1).map((moment, index) => Math.round((moment - at[index]!) / 100) * 100)).toEqual(Array(4).fill(2000));
    await clock.advance(200);
    await job.stop();
  });

  it('makes one round a minute together with all others, however many they are', async () => {
    const clock = new ManualClock();
    const busy = { ...nothing, instances: 1 };
    const all = Array.from({ length: 50 }, (_, index) =>
      stage(clock, () => Promise.resolve(busy), { seed: index + 1, others: 49 }),
    );
    await clock.advance('2h');
    const rounds = all.reduce((sum, { requests }) => sum + requests.length, 0);
    expect(rounds).toBeGreaterThan(120 / 2);
    expect(rounds).toBeLessThan(120 * 2);
    await Promise.all(all.map(({ job }) => job.stop()));
    expect(clock.pendingTimers).toBe(0);
  });

  it('says in one line that it failed, and tries again later; of an outage others tell', async () => {
    const clock = new ManualClock();
    let error: Error = new Error('permission denied');
    const { requests, logger, job } = stage(clock, () => Promise.reject(error));
    await clock.advance('70s');
    expect(logger.matching(/could not be removed/)).toHaveLength(1);
    error = new StorageUnavailableError('down');
    await clock.advance('5m');
    expect(requests.length).toBeGreaterThanOrEqual(5);
    await job.stop();
  });

  it('waits at its end for the batch that is under way, and leaves no timer', async () => {
    const clock = new ManualClock();
    let end = (): void => undefined;
    const { requests, job } = stage(clock, () => new Promise((resolve) => (end = () => resolve({ ...nothing, more: true }))));
    await clock.advance('70s');
    expect(requests).toHaveLength(1);
    let isStopped = false;
    const stopped = job.stop().then(() => (isStopped = true));
    await settleTurns(3);
    expect(isStopped).toBe(false);
    end();
    await stopped;
    await clock.advance('1h');
    expect(requests).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
