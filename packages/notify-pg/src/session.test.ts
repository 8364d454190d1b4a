// What ends a session, and what only refuses a statement.
import { ManualClock, settleTurns } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, serverError } from '../test/fake-client.js';
import { Session, SessionLostError } from './session.js';

let clock: ManualClock;
let client: FakeClient;
let session: Session;
let lost: Error[];

beforeEach(() => {
  clock = new ManualClock();
  client = new FakeClient();
  session = new Session(client, { clock, deadlineMs: 3000 });
  lost = [];
  session.whenLost((error) => lost.push(error));
});

describe('a session', () => {
  it.each(['55P03', '57014', '54000', '42501', 'XX000'])('goes on after a refusal with %s', async (code) => {
    client.answers = [serverError(code), [['1']]];
    await expect(session.query({ text: 'x' })).rejects.toMatchObject({ code });
    expect(await session.query({ text: 'x' })).toEqual([['1']]);
    expect(lost).toEqual([]);
  });

  it.each([
    ['an administrator', serverError('57P01')],
    ['a crash', serverError('57P02')],
    ['a timeout for idle sessions', serverError('57P05')],
    ['a timeout for transactions', serverError('25P04')],
    ['a broken connection', serverError('ECONNRESET')],
    ['a driver that has none', new Error('Client has encountered a connection error and is not queryable')],
  ])('is over, once, after %s', async (_what, error) => {
    client.answers = [error];
    await expect(session.query({ text: 'x' })).rejects.toBeInstanceOf(SessionLostError);
    client.emit('error', new Error('again'));
    client.emit('end', undefined);
    await expect(session.query({ text: 'x' })).rejects.toBeInstanceOf(SessionLostError);
    expect([lost.length, client.isDestroyed, client.queries.length]).toEqual([1, true, 1]);
  });

  it('has the system ask a silent other side whether it is there, and keeps no process alive', () => {
    expect(client.asked).toEqual(['unref', [true, 15_000]]);
  });

  it('is destroyed by a server that is silent, and fails all that waits', async () => {
    client.answers = ['silence', 'silence'];
    const waiting = Promise.allSettled([session.query({ text: 'x' }), session.query({ text: 'y' })]);
    await clock.advance('3s');
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([lost.length, client.isDestroyed, clock.pendingTimers]).toEqual([1, true, 0]);
  });

  it('says nothing of its end when it is closed, and passes on nothing after that', async () => {
    const notes: unknown[] = [];
    session.onNotification((note) => notes.push(note));
    await session.close(500);
    client.emit('notification', { channel: 'c', payload: '', processId: 1 });
    client.emit('error', new Error('late'));
    await settleTurns(1);
    expect([lost, notes, clock.pendingTimers]).toEqual([[], [], 0]);
  });

  it('ends without an error that nobody catches when its client throws, or says goodbye without a promise', async () => {
    client.query = () => {
      throw new Error('not connected');
    };
    await expect(session.query({ text: 'x' })).rejects.toBeInstanceOf(SessionLostError);
    const other = new FakeClient();
    Object.assign(other, { connection: undefined, end: () => undefined });
    await new Session(other, { clock, deadlineMs: 3000 }).close(500);
    new Session(other, { clock, deadlineMs: 3000 }).destroy(new Error('cut'));
    await settleTurns(1);
    expect([lost.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('is destroyed when goodbye is not answered', async () => {
    client.end = () => new Promise(() => undefined);
    const closed = session.close(500);
    await clock.advance(500);
    await closed;
    expect([client.isDestroyed, clock.pendingTimers]).toEqual([true, 0]);
  });
});
