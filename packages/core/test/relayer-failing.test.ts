// What becomes of an event that cannot be sent.
import { describe, expect, it } from 'vitest';
import { TerminalError } from '../src/domain/errors.js';
import { defaultRetryPolicy } from '../src/domain/retry-policy.js';
import { settleTurns } from '../src/testing/index.js';
import { announce, clock, database, held, newOutboxForEachTest, record, stage, write } from './relayer-stage.js';

newOutboxForEachTest();

describe('an event that cannot be sent', () => {
  it('is tried again with growing delays, then kept as failed, and left alone until somebody requeues it', async () => {
    let isDown = true;
    const at: number[][] = [];
    const one = await stage({
      send: (_, { attempt }) => {
        at.push([attempt, clock.monotonic()]);
        if (isDown) throw new Error('503');
      },
    });
    announce(one, write(['a']));
    await clock.advance(10_000);
    expect(at).toEqual([
      [1, 0],
      [2, 1000],
      [3, 3000],
    ]);
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

  it('is not asked for before its time, however much of its stream waits behind it', async () => {
    const one = await stage({ batchSize: 3, send: () => Promise.reject(new Error('503')) });
    announce(one, write(['a1', 'a2', 'a3', 'a4', 'a5']));
    await settleTurns(8);
    const claims = one.storage.count('outbox.claim');
    announce(one, [{ kind: 'outbox_pending', eventId: 'a5' }], 'elsewhere');
    await settleTurns(8);
    expect(one.storage.count('outbox.claim')).toBe(claims + 1);
    await clock.advance(999);
    expect(one.storage.count('outbox.claim')).toBe(claims + 1);
    await clock.advance(1);
    expect(one.sent).toEqual(['a1', 'a1']);
    // The start, what was announced twice, and the due time.
    expect(one.storage.count('outbox.claim')).toBe(4);
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
