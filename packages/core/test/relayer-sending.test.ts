// What a relayer sends, in which order, and how often it asks.
import { describe, expect, it } from 'vitest';
import type { OutgoingEvent } from '../src/domain/outbox.js';
import { settleTurns } from '../src/testing/index.js';
import { announce, clock, held, newOutboxForEachTest, record, stage, until, write } from './relayer-stage.js';

newOutboxForEachTest();

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

  it('claims again at once after a full batch, for as long as it has places', async () => {
    const one = await stage({ send: held().send, batchSize: 2, concurrency: 5 });
    const wakeups = Array.from({ length: 8 }, (_, index) => write([`e${index}`], `s${index}`)).flat();
    announce(one, wakeups.slice(0, 1));
    await settleTurns(10);
    expect(one.sent).toHaveLength(5);
    expect(one.relayer.view().holding).toBe(6);
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
