// What is purged goes in short transactions: histories in slices, earlier parts kept whole, and nobody waits for anybody.
import type { HistoryEntry, RetentionRequest, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStorage, registered } from './open-storage.js';
import { batch, complete, newEntry, newInstance } from './worker-calls.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';

let watched: WatchedPool;
let storage: Storage;
let outside: pg.Client;
let worker: string;

beforeEach(async () => {
  const { url } = await createDatabase();
  outside = new pg.Client({ connectionString: url });
  await outside.connect();
  watched = watchedPool(url, 5);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
});

afterEach(() => outside.end());

const never = { completed: null, failed: null, cancelled: null, recurred: null };
const nothing = { instances: never, sentEvents: null, seenEvents: null, queuedMessages: null, mostQueued: 1_000_000, limit: 10 };
const soon = Date.now() + 3_600_000;

function purge(more: Partial<RetentionRequest>): ReturnType<Storage['retention']['purge']> {
  return storage.retention.purge({ ...nothing, ...more });
}

/** Starts an instance that records so much and then begins anew, and records as much again before it ends. */
async function recurred(instanceId: string, entries: number): Promise<void> {
  const range = (from: number): ReturnType<typeof newEntry>[] =>
    Array.from({ length: entries }, (_, index) => newEntry(instanceId, from + index));
  await storage.runs.commit(batch(worker, { starts: [newInstance(instanceId)], entries: range(1) }));
  const carried = newEntry(instanceId, entries + 1);
  await storage.runs.commit(
    batch(worker, {
      settlements: [
        { type: 'recur', instanceId, claim: 1, archiveId: `${instanceId}~1`, input: '2', carried, keep: [], owned: true },
      ],
    }),
  );
  await storage.runs.commit(batch(worker, { entries: range(entries + 2), settlements: [complete(instanceId, 2)] }));
}

async function seqs(instanceId: string): Promise<readonly number[]> {
  const entries: HistoryEntry[] = [];
  for (let afterSeq = 0; ; afterSeq = entries.at(-1)!.seq) {
    const page = await storage.instances.history({ instanceId, afterSeq, limit: 4 });
    entries.push(...page);
    if (page.length < 4) return entries.map(({ seq }) => seq);
  }
}

describe('a purge', () => {
  it('of an instance with a long history takes it in slices, in one call', async () => {
    await storage.runs.commit(
      batch(worker, {
        starts: [newInstance('long')],
        entries: Array.from({ length: 95 }, (_, index) => newEntry('long', index + 1)),
        settlements: [complete('long')],
      }),
    );
    watched.statements.length = 0;
    expect(await purge({ instances: { ...never, completed: soon } })).toMatchObject({ instances: 1, more: true });
    expect(watched.statements.filter((text) => text.includes('purge_instances_1')).length).toBe(10);
    expect((await outside.query('SELECT FROM romancy.history')).rowCount).toBe(0);
    expect(await purge({ instances: { ...never, completed: soon } })).toMatchObject({ instances: 0, more: false });
  });

  it('of the end of a chain leaves its earlier part whole, also for who reads it in between', async () => {
    await recurred('one', 12);
    const whole = Array.from({ length: 12 }, (_, index) => index + 1);
    expect([await seqs('one~1'), await seqs('one')]).toEqual([whole, Array.from({ length: 13 }, (_, index) => index + 13)]);
    let looks = 0;
    watched.intercept(async (query, send) => {
      const answer = await send();
      if (!query.text.includes('purge_instances_1')) return answer;
      watched.intercept(undefined);
      // Ten of its entries have moved, two have not.
      const { rows } = await outside.query(
        'SELECT instance_id, count(*)::int AS n FROM romancy.history WHERE seq <= 12 GROUP BY 1 ORDER BY 1',
      );
      expect(rows).toEqual([
        { instance_id: 'one', n: 2 },
        { instance_id: 'one~1', n: 10 },
      ]);
      expect(await seqs('one~1')).toEqual(whole);
      looks++;
      return answer;
    });
    expect((await purge({ instances: { ...never, completed: soon } })).instances).toBe(1);
    expect(looks).toBe(1);
    expect(await storage.instances.get('one')).toBeUndefined();
    expect(await seqs('one~1')).toEqual(whole);
    expect((await purge({ instances: { ...never, recurred: soon } })).instances).toBe(1);
    expect((await outside.query('SELECT FROM romancy.history')).rowCount).toBe(0);
  });

  it('leaves what somebody holds to the next time, and waits for nobody', async () => {
    await recurred('chain', 2);
    const ids = ['a', 'b', 'c'];
    await storage.runs.commit(
      batch(worker, { starts: ids.map((id) => newInstance(id)), settlements: ids.map((id) => complete(id)) }),
    );
    await storage.messages.deliver({
      ...{ messageId: 'm', source: '/test', topic: 'channel:x', data: '1', to: { type: 'subscribers' }, starts: null },
    });
    await outside.query('BEGIN');
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id IN ('b', 'chain~1') FOR UPDATE`);
    await outside.query(`SELECT FROM romancy.seen_events FOR UPDATE`);
    await outside.query(`SELECT pg_advisory_xact_lock(hashtextextended('romancy topic romancy channel:x', 0))`);
    const everything = {
      instances: { ...never, completed: soon, recurred: soon },
      seenEvents: soon,
      queuedMessages: soon,
      limit: 100,
    };
    expect(await purge(everything)).toMatchObject({ instances: 2, seenEvents: 0, queuedMessages: 0 });
    await outside.query('COMMIT');
    expect(await purge(everything)).toMatchObject({ instances: 3, seenEvents: 1, queuedMessages: 1, more: false });
    expect((await outside.query('SELECT FROM romancy.history')).rowCount).toBe(0);
  });

  it('forgets the modes of topics with nobody and nothing that nobody asked for in two days', async () => {
    for (const topic of ['channel:fresh', 'channel:old', 'channel:used', 'channel:queued']) {
      await storage.messages.fixMode({ topic, mode: 'competing' });
    }
    const used = { instanceId: 'one', topic: 'channel:used', mode: 'competing' } as const;
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')], subscriptions: [used] }));
    await storage.messages.deliver({
      ...{ messageId: 'm', source: '/test', topic: 'channel:queued', data: '1', to: { type: 'subscribers' }, starts: null },
    });
    await outside.query(`UPDATE romancy.channels SET used_at = now() - interval '49 hours' WHERE topic <> 'channel:fresh'`);
    await purge({});
    const { rows } = await outside.query<{ topic: string }>('SELECT topic FROM romancy.channels ORDER BY topic');
    expect(rows.map(({ topic }) => topic)).toEqual(['channel:fresh', 'channel:queued', 'channel:used']);
    expect(await storage.messages.fixMode({ topic: 'channel:old', mode: 'broadcast' })).toBe('broadcast');
    expect(await storage.messages.fixMode({ topic: 'channel:used', mode: 'broadcast' })).toBe('competing');
  });
});
