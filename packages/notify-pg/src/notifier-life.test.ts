// What follows when two sessions came to servers that do not know each other, and when the server answers late or refuses once.
import { ManualClock, type RecordingLogger, recordingLogger, seededEntropy, settleTurns } from '@romancy/core/testing';
import type { NotifierState } from '@romancy/core/ports';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient, serverError } from '../test/fake-client.js';
import { sentNotes, type SentNote } from '../test/sent-notes.js';
import { NotifierLife } from './notifier-life.js';
import type { PgClient, PgQuery, SessionRole } from './pg-client.js';
import { resolveOptions } from './pg-notifier-options.js';

/** A server that knows just enough: who is there, notes to those that are connected to it, and whether it gives the lock. */
class FakeServer {
  readonly clients = new Set<FakeClient>();
  /** Whether what is sent arrives. A pooler in transaction mode lets nothing arrive. */
  delivers = true;
  /** What LISTEN, or the lock, comes to; left out: granted. */
  onListen: 'silence' | undefined;
  lockRefusals = 0;
  /** Ends a session that sends something. */
  endsSenders = false;

  connect(): PgClient {
    const client = new FakeClient();
    this.clients.add(client);
    const answer = client.query.bind(client);
    client.query = (query: PgQuery) => {
      client.answers = [this.#answer(query)];
      return answer(query);
    };
    return client;
  }

  #answer(query: PgQuery): (typeof FakeClient.prototype.answers)[number] {
    const { text } = query;
    if (text.includes('pg_backend_pid')) return [['77', 'f', '180004', '18.4']];
    if (text.includes('; LISTEN') && this.onListen !== undefined) return this.onListen;
    if (text.includes('pg_try_advisory_lock($1')) return this.lockRefusals-- > 0 ? serverError('57014') : [['t']];
    const notes = sentNotes(query);
    if (notes !== null && this.endsSenders) return serverError('57P01');
    if (notes !== null && this.delivers) this.#deliver(notes);
    return [['1', null]];
  }

  #deliver(notes: readonly SentNote[]): void {
    for (const note of notes) for (const client of this.clients) client.emit('notification', { ...note, processId: 77 });
  }
}

let clock: ManualClock;
let logger: RecordingLogger;
let states: NotifierState[];
let server: FakeServer;
let connects: SessionRole[];
let life: NotifierLife;

function start(connect: (role: SessionRole) => PgClient = () => server.connect()): void {
  const options = resolveOptions({
    reconnectDelay: '1s',
    connect: async ({ role }) => {
      connects.push(role);
      return connect(role);
    },
  });
  life = new NotifierLife(options, {
    clock,
    logger,
    entropy: seededEntropy(1),
    fallbackIntervalMs: 30_000,
    onWakeups: () => undefined,
    onSweep: async () => undefined,
    onStateChange: (state) => void states.push(state),
    onPresence: () => undefined,
  });
  life.start();
}

beforeEach(() => {
  clock = new ManualClock();
  logger = recordingLogger();
  states = [];
  connects = [];
  server = new FakeServer();
});

describe('the life of a notifier', () => {
  it('replaces both sessions when nothing arrives, so that two that came to two servers find each other', async () => {
    const old = new FakeServer();
    // The first session that sends reached the server of before, which goes on answering.
    start((role) => (role === 'sending' && connects.filter((each) => each === role).length === 1 ? old : server).connect());
    await clock.advance('3s');
    expect(life.state).toBe('undeliverable');
    await clock.advance('5s');
    expect(life.state).toBe('healthy');
    await life.stop();
  });

  it('says once that nothing arrives through a pooler, and does not connect more often for it', async () => {
    server.delivers = false;
    start();
    await clock.advance('2m');
    expect(states).toEqual(['connecting', 'undeliverable']);
    expect(logger.at('warn').filter(({ message }) => /transaction pooling/.test(message)).length).toBe(1);
    // Three seconds until a silence is known, and a pause of up to one.
    expect(connects.length).toBeLessThanOrEqual(2 * 41);
    expect(connects.filter((role) => role === 'sending').length).toBeLessThanOrEqual(41);
    await life.stop();
  });

  it('tells how old its last proof is: none yet, then since its own nonce or any note, also when no more come', async () => {
    server.delivers = false;
    start();
    await clock.advance('1s');
    expect(life.status().proofAgeMs).toBeNull();
    server.delivers = true;
    await clock.advance('10s');
    expect(life.state).toBe('healthy');
    const connected = [...server.clients].filter(({ isDestroyed }) => !isDestroyed);
    const note = { channel: 'romancy_outbox_pending', payload: '{"event_id":"e"}', processId: 1 };
    for (const client of connected) client.emit('notification', note);
    await settleTurns(1);
    expect(life.status().proofAgeMs).toBe(0);
    await clock.advance('4s');
    expect(life.status().proofAgeMs).toBe(4000);
    // Asked for after 15 s at the latest.
    const ages: number[] = [];
    for (let second = 0; second < 60; second++) {
      await clock.advance('1s');
      ages.push(life.status().proofAgeMs!);
    }
    expect(Math.max(...ages)).toBeLessThanOrEqual(15_000);
    expect(Math.min(...ages)).toBeLessThan(1000);
    server.delivers = false;
    await clock.advance('1m');
    expect(life.state).not.toBe('healthy');
    expect(life.status().proofAgeMs).toBeGreaterThan(45_000);
    await life.stop();
  });

  it('is well for two intervals while each session that sends is lost at its first word, however often one comes and whatever is heard', async () => {
    start();
    await clock.advance('1s');
    expect(life.state).toBe('healthy');
    server.endsSenders = true;
    life.send([{ kind: 'outbox_pending', eventId: 'e' }]);
    const healthyFor: NotifierState[] = [];
    for (let second = 0; second < 60; second++) {
      await clock.advance('1s');
      healthyFor.push(life.state);
      const note = { channel: 'romancy_outbox_pending', payload: `{"event_id":"${second}"}`, processId: 1 };
      for (const client of server.clients) client.emit('notification', note);
    }
    expect(connects.length).toBeGreaterThan(10);
    expect(healthyFor.indexOf('connecting')).toBeGreaterThanOrEqual(15);
    expect(healthyFor.indexOf('connecting')).toBeLessThanOrEqual(35);
    expect(healthyFor.at(-1)).toBe('connecting');
    server.endsSenders = false;
    await clock.advance('5s');
    expect(life.state).toBe('healthy');
    await life.stop();
  });

  it('stopped while LISTEN is under way leaves no session behind', async () => {
    server.onListen = 'silence';
    start();
    await settleTurns(5);
    const stopped = life.stop();
    await settleTurns(5);
    expect([...server.clients].map(({ isDestroyed }) => isDestroyed)).toContain(true);
    await clock.advance('1s');
    await stopped;
    expect([[...server.clients].every(({ isDestroyed }) => isDestroyed), clock.pendingTimers]).toEqual([true, 0]);
  });

  it('asks for its lock again with the next nonce when it was refused', async () => {
    server.lockRefusals = 1;
    start();
    await clock.advance('1s');
    expect([life.state, life.presence]).toEqual(['healthy', null]);
    await clock.advance('16s');
    expect(life.presence).toMatch(/^advisory:/);
    await life.stop();
  });
});
