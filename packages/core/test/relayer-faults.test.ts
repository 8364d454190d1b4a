// A relayer whose storage fails, loses answers, or has locked what is due.
import { describe, expect, it } from 'vitest';
import { settleTurns } from '../src/testing/index.js';
import { announce, clock, held, newOutboxForEachTest, record, stage, write, type Stage } from './relayer-stage.js';

newOutboxForEachTest();

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

  it('keeps what it is sending when it hands back what such a claim took', async () => {
    const sender = held();
    const one = await stage({ send: sender.send });
    announce(one, write(['a'], 'a'));
    await settleTurns(5);
    one.storage.failNext('outbox.claim', 'after');
    announce(one, write(['b'], 'b'));
    await clock.advance(12_000);
    expect(one.sent).toEqual(['a', 'b']);
    expect(record('a').owner).toBe(one.workerId);
    await sender.end('a');
    await sender.end('b');
    expect([record('a'), record('b')]).toMatchObject([
      { status: 'sent', attempts: 1 },
      { status: 'sent', attempts: 1 },
    ]);
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
