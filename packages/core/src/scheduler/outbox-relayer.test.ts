// The relayer on the memory storage: what it sends, in which order, how often it asks, and what is left when it goes or dies.
import { beforeEach, describe, expect, it } from 'vitest';
import { LeaseLostError, TerminalError } from '../domain/errors.js';
import { outboxStream, type OutgoingEvent } from '../domain/outbox.js';
import { defaultRetryPolicy } from '../domain/retry-policy.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { OutboxRecord } from '../ports/outbox-store.js';
import type { SendAttempt } from '../ports/send-event.js';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  seededEntropy,
  settleTurns,
  withFaults,
  type FaultyStorage,
  type MemoryDatabase,
  type RecordingLogger,
} from '../testing/index.js';
import { writeEvent } from '../testing/memory-outbox.js';
import { OutboxRelayer, type RelayOptions } from './outbox-relayer.js';
import { StorageHealth } from './storage-health.js';
import { StorageClock } from './storage-time.js';
import { WakeupHub } from './wakeup-hub.js';

const codec = {
  encode: (value: unknown) => JSON.stringify(value instanceof Error ? { message: value.message } : value),
  decode: (text: string): unknown => JSON.parse(text),
};
const leaseMs = 30_000;

let clock: ManualClock;
let database: MemoryDatabase;
let stages: number;

interface Stage {
  readonly workerId: string;
  readonly relayer: OutboxRelayer;
  readonly storage: FaultyStorage;
  readonly logger: RecordingLogger;
  readonly hub: WakeupHub;
  /** Ids of events, in the order in which the sender got them. */
  readonly sent: string[];
  /** What hooks were told, in short. */
  readonly told: string[];
  readonly lost: LeaseLostError[];
}

type Send = (event: OutgoingEvent, attempt: SendAttempt) => Promise<void> | void;

beforeEach(() => {
  clock = new ManualClock({ now: 1_000_000 });
  database = createMemoryDatabase();
  stages = 0;
});

/** A relayer that has claimed once, of a process whose notifier is healthy: nothing is found by polling. */
async function stage(
  given: Partial<Omit<RelayOptions, 'send'>> & { readonly send?: Send; readonly peers?: readonly string[] } = {},
): Promise<Stage> {
  const { send, peers = [], ...options } = given;
  const logger = recordingLogger();
  const storage = withFaults(createMemoryStorage({ database }));
  await storage.open({ clock, logger });
  const workerId = `w${++stages}`;
  await register(storage, workerId);
  const hub = new WakeupHub();
  const sent: string[] = [];
  const told: string[] = [];
  const lost: LeaseLostError[] = [];
  const entropy = seededEntropy(stages);
  const relayer = new OutboxRelayer({
    outbox: storage.outbox,
    options: {
      batchSize: 100,
      concurrency: 10,
      timeoutMs: 30_000,
      retry: { ...defaultRetryPolicy, jitter: false, maxAttempts: 3 },
      ...options,
      send: (event, attempt) => {
        sent.push(event.id);
        return send?.(event, attempt);
      },
    },
    pollIntervalMs: 1000,
    health: new StorageHealth({ clock, entropy, logger, description: 'a test' }),
    storageClock: new StorageClock(clock),
    clock,
    entropy,
    logger,
    hooks: {
      has: () => true,
      call: (name, event) => {
        const { eventId, attempt, status = '' } = event as { eventId: string; attempt: number; status?: string };
        told.push(`${name} ${eventId} ${attempt}${status === '' ? '' : ` ${status}`}`);
      },
    },
    codec,
    maxPayloadBytes: 1_000_000,
    hub,
    peers: () => peers,
    onLeaseLost: (error) => {
      lost.push(error);
      relayer.left(error);
    },
  });
  relayer.joined(workerId);
  relayer.notifierIs('healthy');
  relayer.start();
  await settleTurns(5);
  return { workerId, relayer, storage, logger, hub, sent, told, lost };
}

async function register(storage: FaultyStorage, workerId: string): Promise<void> {
  await storage.leases.register({ workerId, serviceName: 'tests', leaseMs, workflowNames: [], starts: [] });
}

/** Writes events, and gives what their commit would tell. */
function write(eventIds: readonly string[], source = 's'): readonly Wakeup[] {
  for (const id of eventIds) {
    const event: OutgoingEvent = {
      id,
      source,
      type: 't',
      subject: undefined,
      time: new Date(0),
      extensions: {},
      data: `of ${id}`,
    };
    const stream = outboxStream({ source, subject: undefined });
    writeEvent(database, { eventId: id, stream, type: 't', source, data: codec.encode(event) }, clock.now());
  }
  return eventIds.map((eventId) => ({ kind: 'outbox_pending', eventId }));
}

function announce({ hub }: Stage, wakeups: readonly Wakeup[], from: 'here' | 'elsewhere' = 'here'): void {
  hub.emit('wakeups', wakeups, from);
}

function record(eventId: string): Pick<OutboxRecord, 'status' | 'attempts' | 'error'> & { readonly owner: string | null } {
  const { status, attempts, error, owner } = database.outbox.get(eventId)!;
  return { status, attempts, error, owner };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (isSo()) return;
    await settleTurns(1);
  }
  throw new Error(`did not come true: ${isSo.toString()}`);
}

/** A sender that waits to be told how each attempt ends. */
function held(): {
  readonly send: Send;
  end(eventId: string, error?: Error): Promise<void>;
  readonly signals: Map<string, AbortSignal>;
} {
  const open = new Map<string, (error?: Error) => void>();
  const signals = new Map<string, AbortSignal>();
  return {
    signals,
    send: ({ id }, { signal }) => {
      signals.set(id, signal);
      return new Promise((resolve, reject) => open.set(id, (error) => (error === undefined ? resolve() : reject(error))));
    },
    async end(eventId, error) {
      open.get(eventId)!(error);
      await settleTurns(5);
    },
  };
}

/** Aborts when the test says so. */
function deadline(): AbortController {
  return new AbortController();
}

describe('a relayer', () => {
  it('sends what was announced here at once, with all that the event is, and records it', async () => {
    const events: OutgoingEvent[] = [];
    const one = await stage({ send: (event) => void events.push(event) });
    announce(one, write(['a']));
    await settleTurns(5);
    expect(events).toMatchObject([{ id: 'a', type: 't', source: 's', data: 'of a' }]);
    expect(record('a')).toEqual({ status: 'sent', attempts: 1, error: null, owner: null });
    expect(one.told).toEqual(['onEventSent a 1']);
    expect(one.relayer.view()).toEqual({ holding: 0, sent: 1, givenUp: 0, isDown: false, claims: 2 });
  });

  it('asks nobody while nothing is announced and the notifier is healthy, and at the pace of polls while it is not', async () => {
    const one = await stage();
    await clock.advance('1h');
    expect(one.storage.count('outbox.claim')).toBe(1);
    one.relayer.notifierIs('connecting');
    await clock.advance('10s');
    expect(one.storage.count('outbox.claim')).toBeGreaterThanOrEqual(9);
    expect(one.storage.count('outbox.claim')).toBeLessThanOrEqual(13);
    write(['a']);
    await clock.advance(1200);
    expect(one.sent).toEqual(['a']);
    one.relayer.notifierIs('healthy');
    const before = one.storage.count('outbox.claim');
    await clock.advance('1h');
    expect(one.storage.count('outbox.claim')).toBe(before);
  });

  it('sends what nobody announced when upkeep says that something is due, or was left by the dead', async () => {
    const one = await stage();
    write(['a']);
    one.relayer.heardOfWork(null, clock.now());
    await settleTurns(5);
    expect(one.sent).toEqual([]);
    one.relayer.heardOfWork(clock.now() + 500, clock.now());
    await clock.advance(499);
    expect(one.sent).toEqual([]);
    await clock.advance(1);
    expect(one.sent).toEqual(['a']);
    write(['b']);
    one.relayer.heardOfWork(clock.now() - 10, clock.now());
    await settleTurns(5);
    write(['c']);
    one.relayer.othersLeft();
    await settleTurns(5);
    expect(one.sent).toEqual(['a', 'b', 'c']);
  });

  it('has one claim in flight and one asked for, however much is announced', async () => {
    const one = await stage();
    const wakeups = write(Array.from({ length: 50 }, (_, index) => `e${index}`));
    for (const wakeup of wakeups) announce(one, [wakeup]);
    await settleTurns(20);
    expect(one.sent).toHaveLength(50);
    // One took them all, one followed for what was announced while it was under way or while the stream was held.
    expect(one.storage.count('outbox.claim')).toBeLessThanOrEqual(4);
  });

  it('sends the events of a stream one after the other, and as many streams side by side as it may', async () => {
    const sender = held();
    const one = await stage({ send: sender.send, concurrency: 2 });
    announce(one, [...write(['a1', 'a2'], 'a'), ...write(['b1'], 'b'), ...write(['c1'], 'c')]);
    await settleTurns(5);
    expect(one.sent).toEqual(['a1', 'b1']);
    await sender.end('a1');
    expect(one.sent).toEqual(['a1', 'b1', 'a2']);
    await sender.end('b1');
    expect(one.sent).toEqual(['a1', 'b1', 'a2', 'c1']);
    await sender.end('c1');
    await sender.end('a2');
    expect(['a1', 'a2', 'b1', 'c1'].map((id) => record(id).status)).toEqual(Array(4).fill('sent'));
  });

  it('keeps at a stream that is longer than its batches, without a word from anybody', async () => {
    const one = await stage({ batchSize: 10 });
    const ids = Array.from({ length: 95 }, (_, index) => `e${String(index).padStart(2, '0')}`);
    announce(one, write(ids).slice(0, 1));
    await until(() => one.sent.length >= 95);
    expect(one.sent).toEqual(ids);
    await settleTurns(10);
    expect(one.storage.count('outbox.claim')).toBeLessThanOrEqual(15);
  });

  it('sends what was announced while it held the stream right behind that', async () => {
    const sender = held();
    const one = await stage({ send: sender.send });
    announce(one, write(['a1'], 'a'));
    await settleTurns(5);
    announce(one, write(['a2'], 'a'), 'elsewhere');
    await settleTurns(5);
    expect(one.sent).toEqual(['a1']);
    await sender.end('a1');
    expect(one.sent).toEqual(['a1', 'a2']);
  });

  it('goes on with other streams while one is slow, and takes no more than it has places for', async () => {
    const sender = held();
    const one = await stage({
      send: (event, attempt) => (event.source === 'slow' ? sender.send(event, attempt) : undefined),
      concurrency: 2,
      batchSize: 5,
    });
    announce(one, write(['s1', 's2', 's3', 's4', 's5', 's6'], 'slow'));
    await settleTurns(5);
    announce(one, write(['q1', 'q2'], 'quick'));
    await settleTurns(8);
    expect(one.sent).toEqual(['s1', 'q1', 'q2']);
    const two = await stage({ send: held().send, concurrency: 1, batchSize: 1 });
    announce(two, [...write(['x1'], 'x'), ...write(['y1'], 'y')]);
    await settleTurns(8);
    // No place is free there: the other stream is for whoever has one.
    expect(record('y1').owner).toBeNull();
    announce(one, [{ kind: 'outbox_pending', eventId: 'y1' }], 'elsewhere');
    await settleTurns(8);
    expect(record('y1').status).toBe('sent');
  });

  it('records results in groups: what comes while one is under way goes with the next', async () => {
    const one = await stage({ concurrency: 50 });
    announce(one, Array.from({ length: 40 }, (_, index) => write([`e${index}`], `s${index}`)).flat());
    await until(() => one.told.length === 40);
    expect(one.storage.count('outbox.settle')).toBeLessThanOrEqual(4);
  });
});

describe('two relayers', () => {
  it('send 10,000 events once each, in order per source', async () => {
    const both = [await stage(), await stage()];
    const order: string[] = [];
    for (const { sent } of both) {
      const push = sent.push.bind(sent);
      sent.push = (...ids) => {
        order.push(...ids);
        return push(...ids);
      };
    }
    const ids = Array.from({ length: 10_000 }, (_, index) => `${index % 25}:${String(index).padStart(5, '0')}`);
    const wakeups = ids.flatMap((id) => write([id], `source ${id.split(':')[0]!}`));
    for (const one of both) announce(one, wakeups.slice(0, 100), 'elsewhere');
    await until(() => order.length >= 10_000);
    await settleTurns(10);
    expect([...order].sort()).toEqual([...ids].sort());
    for (let source = 0; source < 25; source++) {
      const own = order.filter((id) => id.startsWith(`${source}:`));
      expect(own).toEqual([...own].sort());
    }
    expect(Math.min(...both.map(({ sent }) => sent.length))).toBeGreaterThan(500);
    expect([...database.outbox.values()].every(({ status, attempts }) => status === 'sent' && attempts === 1)).toBe(true);
  }, 30_000);

  it('of which one dies while it sends: the other sends it again after its lease, and the dead one records nothing', async () => {
    const sender = held();
    const dying = await stage({ send: sender.send, timeoutMs: null });
    announce(dying, write(['a1', 'a2'], 'a'));
    await settleTurns(5);
    expect(dying.sent).toEqual(['a1']);
    await clock.advance(20_000);
    const other = await stage();
    expect(other.sent).toEqual([]);
    await clock.advance(10_001);
    const { reaped } = await other.storage.leases.upkeep({
      workerId: other.workerId,
      renewal: { leaseMs, presence: null, workflowNames: [] },
      suspects: [],
    });
    expect(reaped).toMatchObject([{ workerId: dying.workerId }]);
    other.relayer.othersLeft();
    await settleTurns(8);
    expect(other.sent).toEqual(['a1', 'a2']);

    await sender.end('a1', new Error('late'));
    expect(dying.lost).toHaveLength(1);
    // It is back under another name, and still has nothing to say about what it had.
    await register(dying.storage, 'w1 again');
    dying.relayer.joined('w1 again');
    await settleTurns(8);
    expect(record('a1')).toEqual({ status: 'sent', attempts: 1, error: null, owner: null });
    expect(dying.told).toEqual([]);
    announce(dying, write(['b'], 'b'));
    await settleTurns(5);
    await sender.end('b');
    expect(record('b')).toMatchObject({ status: 'sent', attempts: 1 });
  });

  it('of which one loses its lease: what is being sent is aborted, and nothing of it is recorded', async () => {
    const sender = held();
    const one = await stage({ send: sender.send });
    announce(one, write(['a']));
    await settleTurns(5);
    one.relayer.left(new LeaseLostError({ workerId: one.workerId }));
    expect(sender.signals.get('a')?.aborted).toBe(true);
    await sender.end('a');
    expect(one.storage.count('outbox.settle')).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('an event that cannot be sent', () => {
  it('is tried again with growing delays, then kept as failed, and left alone until somebody requeues it', async () => {
    let isDown = true;
    const at: number[] = [];
    const one = await stage({
      send: () => {
        at.push(clock.monotonic());
        if (isDown) throw new Error('503');
      },
    });
    announce(one, write(['a']));
    await clock.advance(10_000);
    expect(at).toEqual([0, 1000, 3000]);
    expect(record('a')).toEqual({ status: 'failed', attempts: 3, error: '{"message":"503"}', owner: null });
    expect(one.told).toEqual(['onEventFailed a 3 failed']);
    expect(one.logger.matching(/given up/)).toHaveLength(1);
    one.relayer.othersLeft();
    await clock.advance('1h');
    expect(one.sent).toHaveLength(3);

    isDown = false;
    const { wakeups } = await one.storage.outbox.requeue({
      ...{ status: undefined, eventIds: ['a'], type: undefined, before: undefined },
      limit: 10,
    });
    announce(one, wakeups);
    await settleTurns(5);
    expect(record('a')).toEqual({ status: 'sent', attempts: 1, error: null, owner: null });
  });

  it('keeps the rest of its stream back, handed back for others, until it is sent or given up', async () => {
    let tries = 0;
    const one = await stage({
      send: ({ id }) => {
        if (id === 'a2' && ++tries < 3) throw new Error('503');
      },
    });
    announce(one, [...write(['a1', 'a2', 'a3'], 'a'), ...write(['b1'], 'b')]);
    await settleTurns(8);
    expect(one.sent).toEqual(['a1', 'b1', 'a2']);
    expect(record('a3')).toEqual({ status: 'pending', attempts: 0, error: null, owner: null });
    await clock.advance(10_000);
    expect(one.sent).toEqual(['a1', 'b1', 'a2', 'a2', 'a2', 'a3']);
    const failing = await stage({ send: ({ id }) => (id === 'c1' ? Promise.reject(new Error('503')) : undefined) });
    announce(failing, write(['c1', 'c2'], 'c'));
    await clock.advance(10_000);
    expect(failing.sent).toEqual(['c1', 'c1', 'c1', 'c2']);
    expect(record('c1').status).toBe('failed');
  });

  class Refused extends Error {}

  it.each<[string, Error]>([
    ['says so', Object.assign(new Error('400'), { retryable: false })],
    ['has a cause that says so', new Error('wrapped', { cause: { retryable: false } })],
    ['is a TerminalError', new TerminalError('never')],
    ['is of a class of the policy', new Refused('never')],
  ])('is invalid at once when its error %s', async (_, error) => {
    const one = await stage({
      retry: { ...defaultRetryPolicy, nonRetryable: [Refused] },

      send: ({ id }) => (id === 'a' ? Promise.reject(error) : undefined),
    });
    announce(one, write(['a', 'b']));
    await clock.advance('1h');
    expect(one.sent).toEqual(['a', 'b']);
    expect(record('a')).toMatchObject({ status: 'invalid', attempts: 1 });
    expect(one.told).toEqual(['onEventFailed a 1 invalid', 'onEventSent b 1']);
    expect(one.logger.matching(/given up/)).toHaveLength(1);
  });

  it('and cannot be read is invalid', async () => {
    const one = await stage();
    const [wakeup] = write(['a']);
    Object.assign(database.outbox.get('a')!, { data: 'no JSON' });
    announce(one, [wakeup!, ...write(['b'])]);
    await settleTurns(8);
    expect(record('a')).toMatchObject({ status: 'invalid', attempts: 1 });
    expect(one.sent).toEqual(['b']);
  });

  it('is waited for as long as its error asks, when that is longer', async () => {
    let asked: number | undefined = 60_000;
    const at: number[] = [];
    const one = await stage({
      send: () => {
        at.push(clock.monotonic());
        throw Object.assign(new Error('429'), { retryAfterMs: asked });
      },
    });
    announce(one, write(['a']));
    await settleTurns(5);
    asked = 5;
    await clock.advance(60_000);
    await clock.advance(2000);
    expect(at).toEqual([0, 60_000, 62_000]);
  });

  it('is given up by time where the policy says so', async () => {
    const one = await stage({
      retry: { ...defaultRetryPolicy, jitter: false, maxAttempts: Infinity, maxDurationMs: 4000 },
      send: () => Promise.reject(new Error('503')),
    });
    announce(one, write(['a']));
    await clock.advance('1h');
    // After 0, 1 and 3 s; the next would be at 7 s.
    expect(record('a')).toMatchObject({ status: 'failed', attempts: 3 });
  });

  it('has a time limit for each attempt, and its signal aborts', async () => {
    const sender = held();
    const one = await stage({ send: sender.send, timeoutMs: 5000 });
    announce(one, write(['a']));
    await clock.advance(4999);
    expect(sender.signals.get('a')?.aborted).toBe(false);
    await clock.advance(1);
    expect(sender.signals.get('a')?.aborted).toBe(true);
    expect(record('a')).toMatchObject({
      status: 'pending',
      attempts: 1,
      error: '{"message":"the sender did not end within 5000 ms"}',
    });
    await clock.advance(1000);
    expect(one.sent).toEqual(['a', 'a']);
    // The end of the first attempt comes late and counts for nothing; that of the second counts.
    await sender.end('a');
    expect(record('a')).toMatchObject({ status: 'sent', attempts: 2 });
  });

  it('does not become a claim for each event when there are thousands', async () => {
    const one = await stage({
      concurrency: 50,
      retry: { ...defaultRetryPolicy, maxAttempts: 1000 },
      send: () => Promise.reject(new Error('503')),
    });
    announce(one, Array.from({ length: 2000 }, (_, index) => write([`e${index}`], `s${index}`)).flat());
    await clock.advance('3m');
    const [claims, sent] = [one.storage.count('outbox.claim'), one.sent.length];
    await clock.advance('1m');
    expect(one.sent.length - sent).toBeGreaterThan(1500);
    // One a second, and one for each full batch.
    expect(one.storage.count('outbox.claim') - claims).toBeLessThanOrEqual(60 + 60);
  });

  it('is one line of log for each change, not one for each event, while nothing can be sent', async () => {
    let isDown = true;
    const one = await stage({
      retry: { ...defaultRetryPolicy, maxAttempts: 100 },
      send: () => (isDown ? Promise.reject(new Error('ECONNREFUSED')) : undefined),
    });
    announce(one, Array.from({ length: 50 }, (_, index) => write([`e${index}`], `s${index}`)).flat());
    await clock.advance('10m');
    expect(one.relayer.view().isDown).toBe(true);
    expect(one.logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn events cannot be sent, trying again until they can',
    ]);
    isDown = false;
    await clock.advance('2m');
    expect(one.relayer.view()).toMatchObject({ sent: 50, isDown: false });
    expect(one.logger.lines.map(({ message }) => message).slice(1)).toEqual(['events can be sent again']);
  });
});

describe('a relayer whose claim could not have what is due', () => {
  it('tries again soon, and then more and more seldom, up to the pace of polls', async () => {
    const one = await stage();
    const claim = one.storage.outbox.claim.bind(one.storage.outbox);
    const at: number[] = [];
    let isLocked = true;
    Object.assign(one.storage.outbox, {
      claim: async (request: Parameters<typeof claim>[0]) => {
        at.push(clock.monotonic());
        return isLocked ? { events: [], nextDueAt: clock.now() - 5, now: clock.now() } : await claim(request);
      },
    });
    announce(one, write(['a']));
    await clock.advance('10s');
    const pauses = at.slice(1).map((moment, index) => moment - at[index]!);
    expect(pauses[0]).toBeLessThanOrEqual(25);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(900);
    expect(at.length).toBeLessThanOrEqual(18);
    isLocked = false;
    await clock.advance('2s');
    expect(one.sent).toEqual(['a']);
    const claims = one.storage.count('outbox.claim');
    await clock.advance('1h');
    expect(one.storage.count('outbox.claim')).toBe(claims);
  });
});

describe('a relayer with a storage that fails', () => {
  it('sends what a claim took whose answer was lost, once', async () => {
    const one = await stage();
    one.storage.failNext('outbox.claim', 'after');
    announce(one, write(['a1', 'a2'], 'a'));
    await clock.advance(100);
    expect(one.sent).toEqual(['a1', 'a2']);
    expect(record('a1')).toMatchObject({ status: 'sent', attempts: 1 });
  });

  it('finds what such a claim took even when it took effect later, and leaves alone what others have', async () => {
    const other = await stage({ send: held().send });
    announce(other, write(['x1'], 'x'));
    await settleTurns(5);
    const one = await stage();
    one.storage.failNext('outbox.claim', 'before');
    one.relayer.othersLeft();
    await clock.advance(100);
    // As a server does that has a statement in hand whose client has gone.
    write(['a1'], 'a');
    await createClaim(one);
    await clock.advance(9000);
    expect(record('a1').owner).toBe(one.workerId);
    await clock.advance(2000);
    expect(one.sent).toEqual(['a1']);
    expect(record('x1').owner).toBe(other.workerId);
  });

  it('records a result again whose answer was lost, and counts the attempt once', async () => {
    let tries = 0;
    const one = await stage({ send: () => (++tries === 1 ? Promise.reject(new Error('503')) : undefined) });
    one.storage.failNext('outbox.settle', 'after');
    announce(one, write(['a']));
    await clock.advance(5000);
    expect(one.sent).toEqual(['a', 'a']);
    expect(record('a')).toMatchObject({ status: 'sent', attempts: 2 });
    expect(one.told).toEqual(['onEventSent a 2']);
  });

  it('goes through an outage with what it has, without sending it again', async () => {
    const sender = held();
    const one = await stage({ send: sender.send });
    announce(one, write(['a']));
    await settleTurns(5);
    one.storage.setDown(true);
    await sender.end('a');
    await clock.advance(60_000);
    one.storage.setDown(false);
    await clock.advance(10_000);
    expect(record('a')).toMatchObject({ status: 'sent', attempts: 1 });
    expect(one.sent).toEqual(['a']);
    expect(one.logger.matching(/storage unavailable/)).toHaveLength(1);
  });

  it('keeps a result that the storage refuses for good, records the others, and says so', async () => {
    const one = await stage();
    let isRefusing = true;
    one.storage.plan = {
      before: ({ name, argument }) => {
        const { results = [] } = argument as { results?: readonly { eventId: string }[] };
        if (name === 'outbox.settle' && isRefusing && results.some(({ eventId }) => eventId === 'a')) throw new Error('refused');
      },
    };
    announce(one, [...write(['a'], 'a'), ...write(['b'], 'b')]);
    await clock.advance(5000);
    expect(record('b').status).toBe('sent');
    expect(record('a').status).toBe('sending');
    expect(one.logger.matching(/could not be recorded/).length).toBeGreaterThan(0);
    isRefusing = false;
    await clock.advance(2000);
    expect(record('a').status).toBe('sent');
    expect(one.sent.sort()).toEqual(['a', 'b']);
  });

  it('asks again later when a claim is refused for good, and says so', async () => {
    const one = await stage();
    one.storage.plan = {
      before: ({ name }) => {
        if (name === 'outbox.claim') throw new Error('permission denied');
      },
    };
    announce(one, write(['a']));
    await clock.advance(100);
    expect(one.logger.matching(/could not be asked/)).toHaveLength(1);
    one.storage.plan = {};
    await clock.advance(1000);
    expect(one.sent).toEqual(['a']);
  });
});

async function createClaim({ storage, workerId }: Stage): Promise<void> {
  await storage.outbox.claim({ workerId, limit: 1 });
}

describe('a relayer that stops', () => {
  it('ends what is being sent, hands back the rest untried, tells of it, and leaves no timer', async () => {
    const sender = held();
    const one = await stage({ send: sender.send, concurrency: 1 });
    announce(one, [...write(['a1', 'a2'], 'a'), ...write(['b1'], 'b')]);
    await settleTurns(5);
    const stopped = one.relayer.stop(deadline().signal);
    await settleTurns(5);
    expect(record('a2')).toMatchObject({ status: 'pending', attempts: 0, owner: null });
    expect(record('b1')).toMatchObject({ status: 'pending', attempts: 0, owner: null });
    announce(one, write(['c1'], 'c'));
    await sender.end('a1');
    expect(await stopped).toEqual([{ kind: 'outbox_pending', eventId: 'a2' }]);
    one.relayer.left(new Error('stopped'));
    expect(record('a1')).toMatchObject({ status: 'sent', attempts: 1 });
    expect(one.sent).toEqual(['a1']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up what is being sent when its time is over, and tells of that', async () => {
    const sender = held();
    const one = await stage({ send: sender.send });
    announce(one, write(['a']));
    await settleTurns(5);
    const limit = deadline();
    const stopped = one.relayer.stop(limit.signal);
    limit.abort();
    expect(await stopped).toEqual([{ kind: 'outbox_pending', eventId: 'a' }]);
    one.relayer.left(new Error('stopped'));
    expect(sender.signals.get('a')?.aborted).toBe(true);
    await sender.end('a');
    expect(one.storage.count('outbox.settle')).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('hands back what a claim brings that was under way', async () => {
    const one = await stage();
    let answer = (): void => undefined;
    one.storage.plan = {
      after: ({ name }) => (name === 'outbox.claim' ? new Promise<void>((resolve) => (answer = resolve)) : undefined),
    };
    announce(one, write(['a']));
    await settleTurns(5);
    expect(record('a').status).toBe('sending');
    const stopped = one.relayer.stop(deadline().signal);
    answer();
    await stopped;
    expect(record('a')).toMatchObject({ status: 'pending', attempts: 0, owner: null });
    expect(one.sent).toEqual([]);
  });

  it('does not wait for an outage longer than it may', async () => {
    const one = await stage();
    one.storage.setDown(true);
    announce(one, write(['a']));
    await clock.advance(100);
    const limit = deadline();
    const stopped = one.relayer.stop(limit.signal);
    limit.abort();
    await stopped;
    one.relayer.left(new Error('stopped'));
    await settleTurns(5);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a sweep of a relayer', () => {
  it('is over after a claim that was sent after it was asked for, and at once where none can be made', async () => {
    const sender = held();
    const one = await stage({ send: sender.send, concurrency: 1 });
    const before = one.storage.count('outbox.claim');
    write(['a']);
    await one.relayer.sweep();
    expect(one.storage.count('outbox.claim')).toBe(before + 1);
    await settleTurns(2);
    expect(one.sent).toEqual(['a']);
    await one.relayer.sweep();
    expect(one.storage.count('outbox.claim')).toBe(before + 1);
    write(['b'], 'b');
    await sender.end('a');
    expect(one.sent).toEqual(['a', 'b']);
  });
});

describe('many relayers', () => {
  const crowd = Array.from({ length: 12 }, (_, index) => `w${index + 1}`);
  const others = (own: number): readonly string[] => crowd.filter((id) => id !== `w${own}`);

  it('claim by turns what another process announced: two for each note, once the others have seen that they are not needed', async () => {
    const all: Stage[] = [];
    for (let own = 1; own <= 12; own++) all.push(await stage({ peers: others(own) }));
    const claims = (): number => all.reduce((sum, { storage }) => sum + storage.count('outbox.claim'), 0);
    const note = async (id: string): Promise<void> => {
      const wakeups = write([id], id);
      for (const one of all) announce(one, wakeups, 'elsewhere');
      await clock.advance(1);
      expect(record(id).status).toBe('sent');
      await clock.advance(400);
    };
    for (let each = 0; each < 10; each++) await note(`first ${each}`);
    const before = claims();
    for (let each = 0; each < 32; each++) await note(`then ${each}`);
    // Two each, and what the ten others probe.
    expect(claims() - before).toBeGreaterThanOrEqual(64);
    expect(claims() - before).toBeLessThanOrEqual(64 + 10 * 3);
  });

  it('of which most send nothing: those that do claim soon all the same', async () => {
    const one = await stage({ peers: others(1) });
    for (let each = 0; each < 40; each++) {
      announce(one, write([`e${each}`], `s${each}`), 'elsewhere');
      await clock.advance(200);
      expect(one.sent).toHaveLength(each + 1);
    }
  });
});
