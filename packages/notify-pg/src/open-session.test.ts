// Who is taken for a server to listen to, and what is left alone on a session that others share.
import { ManualClock, settleTurns } from '@romancy/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, serverError } from '../test/fake-client.js';
import { openSession, type OpenSession } from './open-session.js';
import type { PgClient } from './pg-client.js';
import { resolveOptions } from './pg-notifier-options.js';

let clock: ManualClock;
let client: FakeClient;

beforeEach(() => {
  clock = new ManualClock();
  client = new FakeClient();
});

const server = ({ pid = '77', standby = 'f', number = '180004' } = {}): [string, string, string, string] => [
  pid,
  standby,
  number,
  '18.4',
];
const open = (
  connect: () => Promise<PgClient> = async () => client,
  signal = new AbortController().signal,
): Promise<OpenSession> => openSession({ role: 'sending', options: resolveOptions({ connect }), clock }, signal);
const texts = (): string => client.queries.map(({ text }) => text).join('\n');

describe('a session', () => {
  it('is told what must hold for it, when it is known to be nobody else’s', async () => {
    client.answers = [[server()]];
    expect(await open()).toMatchObject({ ownProcessId: 77, serverVersion: '18.4', serverVersionNumber: 180_004 });
    for (const setting of [
      `statement_timeout = '1s'`,
      `lock_timeout = '250ms'`,
      `synchronous_commit = 'off'`,
      `idle_session_timeout = '0'`,
      `transaction_timeout = '0'`,
      `tcp_user_timeout = '30s'`,
      `application_name = 'romancy-notify:sending'`,
    ]) {
      expect(texts()).toContain(`SET ${setting}`);
    }
  });

  it('of an older server is not told what that does not know', async () => {
    client.answers = [[server({ number: '130021' })]];
    await open();
    expect(texts()).not.toMatch(/idle_session_timeout|SET transaction_timeout/);
  });

  it('behind a pooler is left as it is', async () => {
    client.answers = [[server({ pid: '4711' })]];
    expect(await open()).toMatchObject({ ownProcessId: null });
    expect(client.queries.length).toBe(1);
    expect(texts()).toMatch(/^SET LOCAL statement_timeout = '1s'; SELECT/);
  });

  it('does without keepalives where the server refuses them', async () => {
    client.answers = [[server()], [], serverError('22023')];
    await expect(open()).resolves.toMatchObject({ ownProcessId: 77 });
    expect(client.isDestroyed).toBe(false);
  });

  it('gets through a time limit that its first statements exceed, and gives up on one that all do', async () => {
    const tooSlow = serverError('57014');
    client.answers = [tooSlow, tooSlow, tooSlow, [server()]];
    await expect(open()).resolves.toBeDefined();
    client = new FakeClient();
    client.answers = Array.from({ length: 100 }, () => tooSlow);
    await expect(open()).rejects.toBe(tooSlow);
    expect([client.queries.length, client.isDestroyed]).toEqual([20, true]);
  });

  it('of a standby is refused', async () => {
    client.answers = [[server({ standby: 't' })]];
    await expect(open()).rejects.toThrowError(/standby/);
    expect(client.isDestroyed).toBe(true);
  });

  it('that does not answer is given up after the time of a statement', async () => {
    client.answers = ['silence'];
    const opening = expect(open()).rejects.toThrowError('no answer from the server within 3000 ms');
    await clock.advance('3s');
    await opening;
    expect([client.isDestroyed, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('that does not come is given up after the time to connect, and closed when it comes after all', async () => {
    let come: (client: PgClient) => void = () => undefined;
    const opening = expect(open(() => new Promise((resolve) => (come = resolve)))).rejects.toThrowError(
      'could not connect within 5000 ms',
    );
    await clock.advance('5s');
    await opening;
    let isEnded = false;
    client.on('end', () => (isEnded = true));
    come(client);
    await settleTurns(1);
    expect([isEnded, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('that comes too late from a user who gives nothing, or a client that says goodbye without a promise, is nobody’s error', async () => {
    const late: unknown[] = [undefined, Object.assign(new FakeClient(), { end: () => undefined })];
    for (const given of late) {
      let come: (client: PgClient) => void = () => undefined;
      const opening = expect(open(() => new Promise((resolve) => (come = resolve)))).rejects.toThrowError('could not connect');
      await clock.advance('5s');
      await opening;
      come(given as PgClient);
      await settleTurns(1);
    }
  });

  it('is destroyed when nobody waits for it any more, at whatever point that is', async () => {
    const stopping = new AbortController();
    client.answers = ['silence'];
    const opening = expect(open(undefined, stopping.signal)).rejects.toThrowError();
    await settleTurns(1);
    stopping.abort(new Error('stopped'));
    await opening;
    expect([client.isDestroyed, clock.pendingTimers]).toEqual([true, 0]);
    await expect(open(undefined, stopping.signal)).rejects.toThrowError('stopped');
    const throwing = (): never => {
      throw new Error('no way');
    };
    await expect(open(throwing)).rejects.toThrowError('no way');
    expect(clock.pendingTimers).toBe(0);
  });
});
