// Which lane a run commits by, and that the lane is one run's whole life long.
import { expect, test } from 'vitest';
import { consoleLogger } from '../app/console-logger.js';
import { hop } from '../engine/hop.js';
import type { Clock } from '../ports/clock.js';
import type { ProgressBatch, ProgressResult } from '../ports/progress.js';
import type { RunStore } from '../ports/run-store.js';
import { seededEntropy } from '../testing/seeded-entropy.js';
import { CommitLanes } from './commit-lanes.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';

const clock: Clock = { now: () => 0, monotonic: () => 0, schedule: () => () => undefined };

function lanesOn(commit: (batch: ProgressBatch) => Promise<ProgressResult>): CommitLanes {
  return new CommitLanes({
    workerId: 'w',
    runs: { commit } as unknown as RunStore,
    clock,
    health: new StorageHealth({ clock, entropy: seededEntropy(1), logger: consoleLogger, description: 'test' }),
    storageClock: new StorageClock(clock),
    onWakeups: () => undefined,
    onMail: () => false,
    onNews: () => undefined,
    onLeaseLost: () => undefined,
  });
}

const entry = (instanceId: string) =>
  ({ instanceId, seq: 1, kind: 'value', callId: 'now:1', position: 0, data: '1', dueAt: null }) as const;

const nothing: ProgressResult = { conflicts: [], refused: [], undelivered: [], wakeups: [], attention: [], now: 0 };

/** A storage elsewhere: the event loop goes on while it answers. */
async function elsewhere(): Promise<ProgressResult> {
  await hop();
  await hop();
  return nothing;
}

async function commitOnce(lanes: CommitLanes): Promise<void> {
  await lanes.first.record(entry('warm')).done;
  await lanes.idle();
}

/** How many of `count` runs that begin one after the other commit by the first lane. */
function inFirst(lanes: CommitLanes, count: number): number {
  return Array.from({ length: count }, () => lanes.enter()).filter(({ committer }) => committer === lanes.first).length;
}

test('few runs share one lane, and of a crowd each lane gets half', async () => {
  const lanes = lanesOn(elsewhere);
  await commitOnce(lanes);
  expect(inFirst(lanes, 32)).toBe(32);
  expect(inFirst(lanes, 32)).toBe(0);
  expect(inFirst(lanes, 36)).toBe(18);
});

test('a lane that runs have left is filled up again, and is the only one when few are left', async () => {
  const lanes = lanesOn(elsewhere);
  await commitOnce(lanes);
  const places = Array.from({ length: 100 }, () => lanes.enter());
  for (const place of places.filter(({ committer }) => committer !== lanes.first)) place.leave();
  expect(inFirst(lanes, 50)).toBe(0);
  for (const place of places.filter(({ committer }) => committer === lanes.first)) place.leave();
  expect(inFirst(lanes, 1)).toBe(1);
});

test('a database inside this thread gets all of a crowd in one lane', async () => {
  const lanes = lanesOn(() => Promise.resolve(nothing));
  await commitOnce(lanes);
  expect(inFirst(lanes, 100)).toBe(100);
});

test('both lanes are under way at once, and stand still while somebody wants to be alone', async () => {
  let under = 0;
  let most = 0;
  const lanes = lanesOn(async () => {
    most = Math.max(most, ++under);
    await elsewhere();
    under--;
    return nothing;
  });
  await commitOnce(lanes);
  const places = Array.from({ length: 100 }, () => lanes.enter());
  const record = (): Promise<void>[] => places.map(({ committer }, index) => committer.record(entry(`i${index}`)).done);
  await Promise.all(record());
  expect(most).toBe(2);
  expect(lanes.commits).toBe(3);

  const before = record();
  let isOver = false;
  const alone = lanes.alone(async () => {
    expect(under).toBe(0);
    const during = record();
    for (let turn = 0; turn < 20; turn++) {
      await hop();
      expect(under).toBe(0);
    }
    isOver = true;
    return during;
  });
  await Promise.all(before);
  await Promise.all(await alone);
  expect(isOver).toBe(true);
  await lanes.idle();
  expect(under).toBe(0);
});

test('what the runs of one lane record when they are told is sent before those of the other lane are told', async () => {
  const open: (() => void)[] = [];
  const steps: string[] = [];
  let isWarm = false;
  const lanes = lanesOn(async ({ entries }) => {
    if (!isWarm) return await elsewhere();
    steps.push(`sent ${entries[0]!.instanceId}`);
    await new Promise<void>((resolve) => open.push(resolve));
    return nothing;
  });
  await commitOnce(lanes);
  isWarm = true;
  const places = Array.from({ length: 64 }, () => lanes.enter());
  const one = lanes.first;
  const other = places.find(({ committer }) => committer !== one)!.committer;

  // A run that records as soon as it is told, and comes to rest a turn later.
  const run = async (name: string, lane: typeof one): Promise<void> => {
    await lane.record(entry(name)).done;
    steps.push(`told ${name}`);
    lane.goesOn();
    await hop();
    lane.stays();
    void lane.record(entry(`${name} again`)).done;
  };
  const runs = [run('a', one), run('b', other)];
  while (open.length < 2) await hop();
  // Both answers are there at once.
  for (const answer of open.splice(0)) answer();
  await Promise.all(runs);
  while (open.length < 2) await hop();
  for (const answer of open.splice(0)) answer();
  await lanes.idle();
  expect(steps).toEqual(['sent a', 'sent b', 'told a', 'sent a again', 'told b', 'sent b again']);
});

test('what is given up is given up in both', async () => {
  const lanes = lanesOn(() => new Promise<never>(() => undefined));
  const error = new Error('gone');
  const open = lanes.first.record(entry('a')).done;
  lanes.abandon(error);
  await expect(open).rejects.toBe(error);
  await expect(lanes.enter().committer.record(entry('b')).done).rejects.toBe(error);
});
