// What a relayer leaves when it stops.
import { describe, expect, it } from 'vitest';
import { settleTurns } from '../src/testing/index.js';
import { announce, clock, held, newOutboxForEachTest, record, stage, write } from './relayer-stage.js';

newOutboxForEachTest();

describe('a relayer that stops', () => {
  it('ends what is being sent, hands back the rest untried, tells of it, and leaves no timer', async () => {
    const sender = held();
    const one = await stage({ send: sender.send, concurrency: 1 });
    announce(one, [...write(['a1', 'a2'], 'a'), ...write(['b1'], 'b')]);
    await settleTurns(5);
    const stopped = one.relayer.stop(new AbortController().signal);
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
    const limit = new AbortController();
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
    const stopped = one.relayer.stop(new AbortController().signal);
    answer();
    expect(await stopped).toEqual([{ kind: 'outbox_pending', eventId: 'a' }]);
    expect(record('a')).toMatchObject({ status: 'pending', attempts: 0, owner: null });
    expect(one.sent).toEqual([]);
  });

  it('does not wait for an outage longer than it may', async () => {
    const one = await stage();
    one.storage.setDown(true);
    announce(one, write(['a']));
    await clock.advance(100);
    const limit = new AbortController();
    const stopped = one.relayer.stop(limit.signal);
    limit.abort();
    await stopped;
    one.relayer.left(new Error('stopped'));
    await settleTurns(5);
    expect(clock.pendingTimers).toBe(0);
  });
});
