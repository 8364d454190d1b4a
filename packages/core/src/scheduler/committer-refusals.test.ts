// What becomes of a batch that is refused, of an answer that is lost, and of a worker that is declared dead.
import { beforeEach, describe, expect, it } from 'vitest';
import { LeaseLostError, StorageUnavailableError } from '../domain/errors.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { ProgressBatch, ProgressResult } from '../ports/progress.js';
import type { RunStore } from '../ports/run-store.js';
import type { Settlement } from '../ports/settlement.js';
import { ManualClock, recordingLogger, seededEntropy, settleTurns } from '../testing/index.js';
import { Committer } from './committer.js';
import { Floor } from './floor.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';

let clock: ManualClock;
let committer: Committer;
let batches: ProgressBatch[];
let wakeups: Wakeup[];
let lost: LeaseLostError[];
/** What the storage does with a batch; it answers that all is well when this returns nothing. */
let storage: (batch: ProgressBatch) => Partial<ProgressResult> | void | Promise<Partial<ProgressResult> | void>;

beforeEach(() => {
  clock = new ManualClock({ now: 0 });
  batches = [];
  wakeups = [];
  lost = [];
  storage = () => undefined;
  const commit = async (batch: ProgressBatch): Promise<ProgressResult> => {
    batches.push(batch);
    return {
      conflicts: [],
      refused: [],
      undelivered: [],
      wakeups: [],
      attention: [],
      now: clock.now(),
      ...(await storage(batch)),
    };
  };
  committer = new Committer({
    workerId: 'w',
    runs: { commit } as unknown as RunStore,
    health: new StorageHealth({ clock, entropy: seededEntropy(1), logger: recordingLogger(), description: 'a test' }),
    storageClock: new StorageClock(clock),
    clock,
    onWakeups: (more) => void wakeups.push(...more),
    onMail: () => false,
    onNews: () => undefined,
    onLeaseLost: (error) => void lost.push(error),
    floor: new Floor(),
  });
});

let seq = 0;
const record = (instanceId: string, data = 'x') =>
  committer.record({ instanceId, seq: ++seq, kind: 'value', callId: `v:${seq}`, position: seq, data, dueAt: null });
const start = (instanceId: string, owned = true) =>
  committer.start({ instanceId, workflowName: 'order', input: '1', startToken: `t${++seq}`, owned });
const park = (instanceId: string): Settlement => ({ type: 'park', instanceId, claim: 1, status: 'waiting_for_timer', wakeAt: 9 });
const release = (instanceId: string): Settlement => ({ type: 'release', instanceId, claim: 1, wakeAt: null });
const stall = (instanceId: string): Settlement => ({ type: 'stall', instanceId, claim: 1, wakeAt: 9, error: '1' });

/** How something ended. */
const told = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value ?? 'durable',
    (error: Error) => `${error.constructor.name}: ${error.message}`,
  );
/** A storage that refuses entries of that text for good. */
const refusing = (text: string) => (batch: ProgressBatch) => {
  if (batch.entries.some(({ data }) => data === text)) throw new Error('invalid text');
};
const idsOf = ({ entries, settlements, starts }: ProgressBatch): string =>
  [...starts, ...entries, ...settlements].map(({ instanceId }) => instanceId).join();

describe('a committer', () => {
  it('answers each with what the storage said of it', async () => {
    storage = () => ({ conflicts: ['taken'], refused: ['busy'] });
    const answers = Promise.all([start('new'), start('taken'), committer.settle(park('away')), committer.settle(park('busy'))]);
    expect(await answers).toEqual(['started', 'conflict', 'done', 'refused']);
    expect(batches).toHaveLength(1);
  });

  it('tells others what they can do, when it is committed and not refused', async () => {
    storage = () => ({ conflicts: ['taken'], refused: ['busy'] });
    const timer = (instanceId: string): Wakeup => ({ kind: 'timer_expired', instanceId, timerId: 's:1', expiresAt: 9 });
    await Promise.all([
      start('mine'),
      start('anybody’s', false),
      start('taken', false),
      committer.settle(park('away'), [timer('away')]),
      committer.settle(park('busy'), [timer('busy')]),
    ]);
    expect(wakeups.map((wakeup) => ('instanceId' in wakeup ? wakeup.instanceId : ''))).toEqual(['anybody’s', 'away']);
  });

  it('sends two starts of one id one after the other, so that the answer says which was refused', async () => {
    const known = new Set<string>();
    storage = ({ starts }) => {
      const conflicts = starts.filter(({ instanceId }) => known.has(instanceId)).map(({ instanceId }) => instanceId);
      for (const { instanceId } of starts) known.add(instanceId);
      return { conflicts };
    };
    expect(await Promise.all([start('a'), start('b'), start('a'), start('a')])).toEqual([
      'started',
      'started',
      'conflict',
      'conflict',
    ]);
  });

  it('keeps the order of what it was given, over as many commits as it takes', async () => {
    const large = 'y'.repeat(3_000_000);
    const all = Array.from({ length: 6 }, (_, index) => record('i', `${large}${index}`));
    await all.at(-1)!.done;
    expect(batches.length).toBeGreaterThan(1);
    expect(batches.flatMap(({ entries }) => entries.map(({ data }) => data!.at(-1)))).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(all.every(({ durable }) => durable)).toBe(true);
  });

  it('takes a refused batch apart by instance: the others do not suffer', async () => {
    storage = refusing('poison');
    const answers = [
      told(record('a').done),
      told(record('bad').done),
      told(record('bad', 'poison').done),
      told(start('c')),
      told(committer.settle(park('a'))),
    ];
    expect(await Promise.all(answers)).toEqual(['durable', 'Error: invalid text', 'Error: invalid text', 'started', 'done']);
    expect(batches.map(idsOf)).toEqual(['c,a,bad,bad,a', 'a,a', 'bad,bad', 'c']);
  });

  it('commits nothing of an instance behind what was refused, until it is handed back', async () => {
    storage = refusing('poison');
    await told(record('bad', 'poison').done);
    batches.length = 0;
    expect(await told(record('bad').done)).toBe('Error: invalid text');
    expect(await told(record('bad').done)).toBe('Error: invalid text');
    expect(await told(committer.settle(park('bad')))).toBe('Error: invalid text');
    expect(batches).toEqual([]);
    expect(await told(committer.settle(stall('bad')))).toBe('done');
    // Another run of it, on this worker again.
    expect(await told(record('bad').done)).toBe('durable');
  });

  it('refuses what was already in the queue behind it', async () => {
    let letGo!: () => void;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    storage = async (batch) => {
      if (batches.length === 1) await held;
      refusing('poison')(batch);
    };
    const first = told(record('bad', 'poison').done);
    await settleTurns(3);
    const behind = [told(record('bad').done), told(record('good').done), told(committer.settle(release('bad')))];
    letGo();
    expect(await first).toBe('Error: invalid text');
    expect(await Promise.all(behind)).toEqual(['Error: invalid text', 'durable', 'done']);
  });

  it('a refused start is the end of that start, and of nothing else', async () => {
    storage = ({ starts }) => {
      if (starts.some(({ instanceId }) => instanceId === 'bad')) throw new Error('invalid input');
    };
    expect(await told(start('bad'))).toBe('Error: invalid input');
    storage = () => undefined;
    expect(await told(start('bad'))).toBe('started');
    expect(await told(record('bad').done)).toBe('durable');
  });

  it('sends a batch again until the storage answers, the same one, and gathers the next meanwhile', async () => {
    let failures = 3;
    storage = () => {
      if (failures-- > 0) throw new StorageUnavailableError('away');
    };
    const first = told(record('a').done);
    await settleTurns(3);
    const second = [told(record('a').done), told(record('b').done)];
    await clock.advance('1m');
    expect(await Promise.all([first, ...second])).toEqual(['durable', 'durable', 'durable']);
    expect(batches.map(idsOf)).toEqual(['a', 'a', 'a', 'a', 'a,b']);
    expect(committer.commits).toBe(2);
  });

  it('of a worker that was declared dead gives up everything, and says so once', async () => {
    const error = new LeaseLostError({ workerId: 'w' });
    storage = () => {
      throw error;
    };
    const answers = [told(record('a').done), told(committer.settle(park('b')))];
    await settleTurns(1);
    answers.push(told(record('a').done));
    expect(await Promise.all(answers)).toEqual(Array(3).fill(`LeaseLostError: ${error.message}`));
    expect(await told(start('c'))).toBe(`LeaseLostError: ${error.message}`);
    expect(lost).toEqual([error]);
    await committer.idle();
  });

  it('given up in an outage stops trying', async () => {
    storage = () => {
      throw new StorageUnavailableError('away');
    };
    const answer = told(record('a').done);
    await clock.advance('10s');
    committer.abandon(new Error('stopped'));
    committer.abandon(new Error('again'));
    expect(await answer).toBe('Error: stopped');
    const tries = batches.length;
    await clock.advance('1m');
    expect(batches).toHaveLength(tries);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets somebody be alone: after the answer that is awaited, and before the next commit', async () => {
    const order: string[] = [];
    let letGo!: () => void;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    storage = async (batch) => {
      order.push(`sent ${idsOf(batch)}`);
      if (batches.length === 1) await held;
    };
    void record('a').done.then(() => order.push('a is durable'));
    await settleTurns(3);
    const alone = ['one', 'two'].map((name) =>
      committer.alone(async () => {
        order.push(`${name} begins`);
        await settleTurns(5);
        order.push(`${name} ends`);
        return name;
      }),
    );
    const failing = told(committer.alone(() => Promise.reject(new Error('of the work'))));
    const second = told(record('b').done);
    await settleTurns(5);
    expect(order).toEqual(['sent a']);
    letGo();
    expect(await Promise.all(alone)).toEqual(['one', 'two']);
    expect(await failing).toBe('Error: of the work');
    expect(await second).toBe('durable');
    expect(order).toEqual(['sent a', 'a is durable', 'one begins', 'one ends', 'two begins', 'two ends', 'sent b']);
  });
});
