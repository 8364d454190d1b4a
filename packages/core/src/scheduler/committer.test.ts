// What shares a commit, and for how long one waits for more.
import { expect, test } from 'vitest';
import { hop } from '../engine/hop.js';
import type { NewHistoryEntry } from '../domain/history.js';
import { consoleLogger } from '../app/console-logger.js';
import { seededEntropy } from '../testing/seeded-entropy.js';
import type { Clock } from '../ports/clock.js';
import type { ProgressBatch } from '../ports/progress.js';
import type { RunStore } from '../ports/run-store.js';
import type { Commitment } from '../engine/progress.js';
import { Committer } from './committer.js';
import { Floor } from './floor.js';
import { StorageClock } from './storage-time.js';
import { StorageHealth } from './storage-health.js';

/** A committer on a storage whose commits take 10 ms each, by a clock that moves only when told. */
function committerOfSlowStorage() {
  const time = { now: 0 };
  const clock: Clock = { now: () => time.now, monotonic: () => time.now, schedule: () => () => undefined };
  const batches: number[] = [];
  const runs = {
    commit: async ({ entries }: { readonly entries: readonly NewHistoryEntry[] }) => {
      batches.push(entries.length);
      await hop();
      time.now += 10;
      return { conflicts: [], refused: [], undelivered: [], wakeups: [], attention: [], now: time.now };
    },
  } as unknown as RunStore;
  const committer = new Committer({
    workerId: 'w',
    runs,
    clock,
    health: new StorageHealth({ clock, entropy: seededEntropy(1), logger: consoleLogger, description: 'slow' }),
    storageClock: new StorageClock(clock),
    onWakeups: () => undefined,
    onMail: () => false,
    onNews: () => undefined,
    onLeaseLost: () => undefined,
    floor: new Floor(),
  });
  let seq = 0;
  const record = (): Commitment => {
    const entry = { instanceId: 'i', seq: ++seq, callId: `c:${seq}`, position: seq, data: null, dueAt: null };
    return committer.record({ ...entry, kind: 'activity_completed' });
  };
  return { committer, batches, record, time };
}

/** The first commit tells how long one takes. */
async function withOneCommitBehind() {
  const parts = committerOfSlowStorage();
  parts.record();
  await parts.committer.idle();
  expect(parts.batches.splice(0)).toEqual([1]);
  return parts;
}

test('what a run records turn by turn until it stays comes into one commit', async () => {
  const { committer, batches, record } = await withOneCommitBehind();
  for (let count = 0; count < 100; count++) {
    record();
    committer.goesOn();
    await hop();
    committer.stays();
  }
  await committer.idle();
  expect(batches).toEqual([100]);
});

test('a run that does not come to rest holds up a commit for no longer than a commit takes', async () => {
  const { committer, batches, record, time } = await withOneCommitBehind();
  record();
  committer.goesOn();
  const began = time.now;
  while (batches.length === 0) {
    time.now++;
    await hop();
  }
  expect(time.now - began).toBeLessThanOrEqual(12);
  await committer.idle();
});

test('a run that does not come to rest holds up nothing for ever, though the clock stands still', async () => {
  const { committer, batches, record } = await withOneCommitBehind();
  record();
  committer.goesOn();
  await committer.idle();
  expect(batches).toEqual([1]);
});

test('what is recorded together is committed together when nothing goes on', async () => {
  const { committer, batches, record } = committerOfSlowStorage();
  for (let count = 0; count < 100; count++) record();
  await committer.idle();
  expect(batches).toEqual([100]);
});

test('what gathered during a commit is on its way before those who waited for that commit go on', async () => {
  const { committer, batches, record } = committerOfSlowStorage();
  record();
  const first = record().done;
  let sentByThen = 0;
  const told = first.then(() => (sentByThen = batches.length));
  await untilTurn(() => batches.length > 0);
  record();
  await told;
  expect(sentByThen).toBe(2);
  await committer.idle();
});

test('a park that was decided on before mail was handed over does not pass for one that knows of it', async () => {
  const clock: Clock = { now: () => 0, monotonic: () => 0, schedule: () => () => undefined };
  const answer = { conflicts: [], refused: [], undelivered: [], wakeups: [], attention: [], now: 0 };
  const mail = { mailId: '1', topic: 'channel:jobs', data: null, kind: 'message' };
  const sent: ProgressBatch[] = [];
  const answers: ((more: object) => void)[] = [];
  let early: Promise<'done' | 'refused'> | undefined;
  const committer = new Committer({
    workerId: 'w',
    runs: {
      commit: (batch: ProgressBatch) => {
        sent.push(batch);
        // The commit of the other one leaves first, and what follows from the answer before it only then.
        if (sent.length === 2) early = park();
        return new Promise((resolve) => answers.push((more) => resolve({ ...answer, ...more })));
      },
    } as unknown as RunStore,
    clock,
    health: new StorageHealth({ clock, entropy: seededEntropy(1), logger: consoleLogger, description: 'held' }),
    storageClock: new StorageClock(clock),
    onWakeups: () => undefined,
    onMail: () => true,
    onNews: () => undefined,
    onLeaseLost: () => undefined,
    floor: new Floor(),
  });
  const record = (instanceId: string): Commitment =>
    committer.record({
      ...{ instanceId, seq: 1, callId: 'c:1', position: 1, data: null, dueAt: null },
      kind: 'activity_completed',
    });
  const park = (): Promise<'done' | 'refused'> =>
    committer.settle({ type: 'park', instanceId: 'x', claim: 1, status: 'waiting_for_event', wakeAt: null });
  const untilSent = (count: number): Promise<void> => untilTurn(() => sent.length >= count);

  record('x');
  await untilSent(1);
  record('other');
  answers[0]!({ handed: [{ ...mail, instanceId: 'x', mark: 'v7' }] });
  await untilSent(2);
  answers[1]!({});
  await untilSent(3);
  answers[2]!({ refused: ['x'] });
  expect(await early).toBe('refused');
  const late = park();
  await untilSent(4);
  answers[3]!({});
  expect(await late).toBe('done');
  expect(sent.map(({ seen = [] }) => seen)).toEqual([[], [], [], [{ instanceId: 'x', mark: 'v7' }]]);
});

/** Looks in each turn of the event loop: a millisecond later the next commit might be over too. */
async function untilTurn(look: () => boolean): Promise<void> {
  for (let turn = 0; !look(); turn++) {
    if (turn === 1000) throw new Error(`did not come true: ${look.toString()}`);
    await hop();
  }
}
