// Writers and relayers of one stream at the same moment: no event is forgotten, none overtakes another, none is taken twice.
import type { Effect, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { batch, newEntry, newInstance } from './worker-calls.js';

let storage: Storage;
let outside: pg.Client;
let looker: pg.Client;
let worker: string;

beforeEach(async () => {
  const { url } = await createDatabase();
  storage = await openStorage({ connectionString: url, maxConnections: 16 });
  outside = new pg.Client({ connectionString: url });
  looker = new pg.Client({ connectionString: url });
  await Promise.all([outside.connect(), looker.connect()]);
  worker = await registered(storage, 'worker');
});

afterEach(() => Promise.all([outside.end(), looker.end()]));

const lastSeq = new Map<string, number>();

/** Has an instance write events into a stream. */
function write(instanceId: string, stream: string, eventIds: readonly string[]): Promise<unknown> {
  const seq = (lastSeq.get(instanceId) ?? 0) + 1;
  lastSeq.set(instanceId, seq);
  const effects = eventIds.map((eventId): Effect => ({
    instanceId,
    seq,
    type: 'event',
    event: { eventId, stream, type: 'done', source: '/test', data: JSON.stringify(eventId) },
  }));
  return storage.runs.commit(batch(worker, { entries: [newEntry(instanceId, seq)], effects }));
}

describe('8 writers and 4 relayers, of 3 streams', () => {
  it('send each event once, in the order of its writer', { timeout: 120_000 }, async () => {
    lastSeq.clear();
    const writers = Array.from({ length: 8 }, (_, index) => `writer-${index}`);
    const streams = ['s0', 's1', 's2'];
    await storage.runs.commit(batch(worker, { starts: writers.map((id) => newInstance(id)) }));
    const rounds = 25;
    const expected = writers.length * rounds * 2;
    const sent: { readonly eventId: string; readonly stream: string }[] = [];
    const busy = new Map<string, string>();
    const end = performance.now() + 90_000;

    const writing = writers.map(async (writer, index) => {
      for (let round = 0; round < rounds; round++) {
        await write(writer, streams[(index + round) % 3]!, [`${writer}:${round}:0`, `${writer}:${round}:1`]);
      }
    });
    const relaying = Array.from({ length: 4 }, async (_, index) => {
      const relayer = await registered(storage, `relayer-${index}`);
      for (let turn = 0; sent.length < expected && performance.now() < end; turn++) {
        const { events } = await storage.outbox.claim({ workerId: relayer, limit: 7 });
        for (const { stream } of events) {
          expect([undefined, relayer]).toContain(busy.get(stream));
          busy.set(stream, relayer);
        }
        // Every fifth time the rest is handed back.
        const kept = turn % 5 === 4 ? events.slice(0, 1) : events;
        sent.push(...kept);
        for (const { stream } of events) busy.delete(stream);
        await storage.outbox.settle({
          workerId: relayer,
          results: events.map(({ eventId }, place) => ({ type: place < kept.length ? 'sent' : 'release', eventId })),
        });
      }
    });
    await Promise.all([...writing, ...relaying]);

    expect(sent.map(({ eventId }) => eventId).toSorted()).toEqual(
      writers.flatMap((writer) => Array.from({ length: rounds * 2 }, (_, n) => `${writer}:${n >> 1}:${n % 2}`)).toSorted(),
    );
    for (const writer of writers) {
      for (const stream of streams) {
        const own = sent.filter((event) => event.stream === stream && event.eventId.startsWith(`${writer}:`));
        const rank = own.map(({ eventId }) => Number(eventId.split(':')[1]) * 2 + Number(eventId.split(':')[2]));
        expect(rank).toEqual(rank.toSorted((a, b) => a - b));
      }
    }
    expect(await storage.outbox.claim({ workerId: worker, limit: 10 })).toMatchObject({ events: [], nextDueAt: null });
  });
});

describe('an event that is written while what is before it is ended', () => {
  it.for(['writer', 'relayer'])('is due afterwards, the %s first', async (first) => {
    lastSeq.clear();
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await write('one', 's', ['before']);
    expect((await storage.outbox.claim({ workerId: worker, limit: 10 })).events).toHaveLength(1);
    await outside.query('BEGIN');
    await outside.query(`SELECT pg_advisory_xact_lock(hashtextextended('romancy stream romancy s', 0))`);
    const end = (): Promise<unknown> =>
      storage.outbox.settle({ workerId: worker, results: [{ type: 'sent', eventId: 'before' }] });
    const begin = (): Promise<unknown> => write('one', 's', ['after']);
    const firstDone = first === 'writer' ? begin() : end();
    await lockWaits(looker, 1);
    const secondDone = first === 'writer' ? end() : begin();
    await lockWaits(looker, 2);
    await outside.query('COMMIT');
    await Promise.all([firstDone, secondDone]);
    expect((await storage.outbox.claim({ workerId: worker, limit: 10 })).events).toMatchObject([{ eventId: 'after' }]);
  });
});

describe('a relayer that finds', () => {
  it('the stream in the hands of another leaves it alone, also when an earlier event was requeued meanwhile', async () => {
    lastSeq.clear();
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await write('one', 's', ['a', 'b']);
    const other = await registered(storage, 'other');
    await storage.outbox.claim({ workerId: worker, limit: 1 });
    await storage.outbox.settle({ workerId: worker, results: [{ type: 'failed', eventId: 'a', error: '{}' }] });
    expect((await storage.outbox.claim({ workerId: worker, limit: 1 })).events).toMatchObject([{ eventId: 'b' }]);
    const all = { status: undefined, eventIds: undefined, type: undefined, before: undefined, limit: 10 };
    expect(await storage.outbox.requeue(all)).toMatchObject({ requeued: 1, wakeups: [{ eventId: 'a' }] });
    expect(await storage.outbox.claim({ workerId: other, limit: 10 })).toMatchObject({ events: [], nextDueAt: null });
    await storage.outbox.settle({ workerId: worker, results: [{ type: 'release', eventId: 'b' }] });
    expect((await storage.outbox.claim({ workerId: other, limit: 10 })).events.map(({ eventId }) => eventId)).toEqual(['a', 'b']);
  });

  it('its events in the hands of a dead one gets them once that is reaped', async () => {
    lastSeq.clear();
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await write('one', 's', ['a', 'b']);
    const dying = await registered(storage, 'dying', -1);
    expect((await storage.outbox.claim({ workerId: dying, limit: 10 })).events).toHaveLength(2);
    const upkeep = { workerId: worker, renewal: { leaseMs: 60_000, presence: null, workflowNames: ['order'] }, suspects: [] };
    await storage.leases.upkeep(upkeep);
    await expect(storage.outbox.claim({ workerId: dying, limit: 10 })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await expect(storage.outbox.settle({ workerId: dying, results: [{ type: 'sent', eventId: 'a' }] })).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    expect((await storage.leases.upkeep(upkeep)).work?.outboxDueAt).toEqual(expect.any(Number));
    expect((await storage.outbox.claim({ workerId: worker, limit: 10 })).events.map(({ eventId }) => eventId)).toEqual([
      'a',
      'b',
    ]);
  });
});

describe('the marks of events that may be the first of their stream', () => {
  /** Numbers of those that are marked and not ended, in their order. */
  async function marked(): Promise<readonly string[]> {
    const { rows } = await looker.query<{ event_id: string }>(
      `SELECT event_id FROM romancy.outbox WHERE may_lead AND status IN ('pending', 'sending') ORDER BY number`,
    );
    return rows.map(({ event_id }) => event_id);
  }

  const filter = { status: undefined, eventIds: undefined, type: undefined, before: undefined } as const;

  it('are one for each stream when many are requeued', async () => {
    await looker.query(`
      INSERT INTO romancy.outbox (event_id, stream, type, source, data, status, may_lead, due_at, created_at, ended_at)
      SELECT 'e' || n, 's' || n % 2, 'done', '/test', '1', 'failed', false, now(), now(), now() FROM generate_series(1, 1200) AS n`);
    expect(await storage.outbox.requeue({ ...filter, limit: 1100 })).toMatchObject({ requeued: 1100 });
    expect(await marked()).toEqual(['e1', 'e2']);
    const { events } = await storage.outbox.claim({ workerId: worker, limit: 4 });
    expect(events.slice(0, 2).map(({ eventId }) => eventId)).toEqual(['e1', 'e2']);
    expect(events).toHaveLength(4);
  });

  it('are one for each stream when a relayer leaves', async () => {
    lastSeq.clear();
    await storage.runs.commit(batch(worker, { starts: [newInstance('writer')] }));
    const ids = Array.from({ length: 20 }, (_, index) => `e${String(index).padStart(2, '0')}`);
    await write('writer', 's', ids.slice(0, 1));
    await write('writer', 's', ids.slice(1));
    const relayer = await registered(storage, 'relayer');
    expect((await storage.outbox.claim({ workerId: relayer, limit: 20 })).events).toHaveLength(20);
    await storage.leases.retire({ workerId: relayer });
    expect(await marked()).toEqual(['e00']);
    expect((await storage.outbox.claim({ workerId: worker, limit: 20 })).events.map(({ eventId }) => eventId)).toEqual(ids);
  });

  it('are not missing where one is requeued while what was before it is ended', async () => {
    lastSeq.clear();
    await storage.runs.commit(batch(worker, { starts: [newInstance('writer')] }));
    for (const id of ['first', 'second', 'third']) await write('writer', 's', [id]);
    const take = async (limit: number): Promise<readonly string[]> =>
      (await storage.outbox.claim({ workerId: worker, limit })).events.map(({ eventId }) => eventId);
    expect(await take(2)).toEqual(['first', 'second']);
    await storage.outbox.settle({
      workerId: worker,
      results: [
        { type: 'release', eventId: 'first' },
        { type: 'failed', eventId: 'second', error: '"no"' },
      ],
    });
    expect(await take(1)).toEqual(['first']);
    await outside.query('BEGIN');
    await outside.query(`SELECT pg_advisory_xact_lock(hashtextextended('romancy stream romancy s', 0))`);
    const settling = storage.outbox.settle({ workerId: worker, results: [{ type: 'sent', eventId: 'first' }] });
    await lockWaits(looker, 1);
    const requeueing = storage.outbox.requeue({ ...filter, limit: 10 });
    await lockWaits(looker, 2);
    await outside.query('COMMIT');
    await settling;
    expect(await requeueing).toMatchObject({ requeued: 1 });
    expect(await take(3)).toEqual(['second', 'third']);
  });
});
