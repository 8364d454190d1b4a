// What an activity with a transaction sends commits together with its result and with what it wrote, or not at all.
import { transactionSlot, type ActivityTransaction, type Effect, type Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { postgresTransaction, type TransactionClient } from '../src/index.js';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { batch, newEntry, newInstance } from './worker-calls.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';

let watched: WatchedPool;
let storage: Storage;
let outside: pg.Client;
let worker: string;
let url: string;

beforeEach(async () => {
  ({ url } = await createDatabase());
  outside = new pg.Client({ connectionString: url });
  await outside.connect();
  await outside.query(`CREATE TABLE written (id text PRIMARY KEY);
    CREATE TABLE refused (id text REFERENCES written (id) DEFERRABLE INITIALLY DEFERRED)`);
  watched = watchedPool(url, 5);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
  await storage.runs.commit(batch(worker, { starts: [newInstance('one'), newInstance('two')] }));
});

afterEach(() => outside.end());

/** A message to the other instance, one to a queue, and an event: by the entry of that number. */
function effectsOf(seq: number): readonly Effect[] {
  const name = `of ${seq}`;
  const entry = { instanceId: 'one', seq };
  const message = { messageId: name, data: '1' };
  return [
    { ...entry, type: 'message', message: { ...message, topic: 'x', to: { type: 'instance', instanceId: 'two' } } },
    { ...entry, type: 'message', message: { ...message, topic: 'channel:jobs', to: { type: 'subscribers' } } },
    { ...entry, type: 'event', event: { eventId: name, stream: 's', type: 'done', source: '/test', data: '1' } },
  ];
}

async function begin(): Promise<{ readonly transaction: ActivityTransaction; readonly client: TransactionClient }> {
  const transaction = await storage.transactions.begin({ signal: new AbortController().signal });
  const slot = { storageKind: 'postgres', open: async () => transaction };
  const { client } = await postgresTransaction({ [transactionSlot]: slot });
  return { transaction, client };
}

/** What there is of all that can be written by an activity and its effects. */
async function seen(): Promise<object> {
  const ids = async (text: string): Promise<unknown[]> => (await outside.query<{ id: unknown }>(text)).rows.map(({ id }) => id);
  return {
    written: await ids('SELECT id FROM written ORDER BY id'),
    entries: await ids('SELECT seq AS id FROM romancy.history ORDER BY seq'),
    mail: await ids('SELECT message_id AS id FROM romancy.mailbox ORDER BY mail_id'),
    queued: await ids('SELECT message_id AS id FROM romancy.queued_messages ORDER BY number'),
    events: await ids('SELECT event_id AS id FROM romancy.outbox ORDER BY number'),
  };
}

const nothing = { written: [], entries: [], mail: [], queued: [], events: [] };

/** By entries of those numbers, in that order. */
function sentBy(...seqs: readonly number[]): object {
  const names = seqs.map((seq) => `of ${seq}`);
  return { mail: names, queued: names, events: names };
}

describe('an activity that sends', () => {
  it('is committed with what it sent', async () => {
    const { transaction, client } = await begin();
    await client.query(`INSERT INTO written VALUES ('a')`);
    await transaction.commit({ workerId: worker, entry: newEntry('one', 1), effects: effectsOf(1) });
    expect(await seen()).toEqual({ written: ['a'], entries: [1], ...sentBy(1) });
  });

  it('leaves nothing when it is undone, nor when the database refuses the commit', async () => {
    const { transaction, client } = await begin();
    await client.query(`INSERT INTO written VALUES ('a')`);
    await transaction.rollback();
    expect(await seen()).toEqual(nothing);

    const refused = await begin();
    await refused.client.query(`INSERT INTO refused VALUES ('b')`);
    const request = { workerId: worker, entry: newEntry('one', 2), effects: effectsOf(2) };
    await expect(refused.transaction.commit(request)).rejects.toMatchObject({ code: '23503' });
    expect(await seen()).toEqual(nothing);
    expect(await storage.runs.readSignals({ workerId: worker, instanceIds: ['two'], mailLimit: 1 })).toMatchObject([
      { mail: [] },
    ]);
  });

  it('has sent once when the answer to the commit is lost', async () => {
    const { transaction } = await begin();
    watched.intercept(async (query, send) => {
      if (query.text !== 'COMMIT') return send();
      watched.intercept(undefined);
      await send();
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    });
    await transaction.commit({ workerId: worker, entry: newEntry('one', 1), effects: effectsOf(1) });
    expect(await seen()).toMatchObject({ entries: [1], ...sentBy(1) });
  });

  it.for(['commit', 'transaction'])(
    'and a commit that sends to the same at that moment take turns, the %s first: all of it is sent',
    async (first) => {
      const { transaction } = await begin();
      // A receiver that somebody holds: both come as far as his row, or wait for who did.
      await outside.query('BEGIN');
      await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'two' FOR UPDATE`);
      const looker = new pg.Client({ connectionString: url });
      await looker.connect();
      try {
        const byCommit = (): Promise<unknown> =>
          storage.runs.commit(batch(worker, { entries: [newEntry('one', 1)], effects: effectsOf(1) }));
        const byTransaction = (): Promise<unknown> =>
          transaction.commit({ workerId: worker, entry: newEntry('one', 2), effects: effectsOf(2) });
        const [one, other] = first === 'commit' ? [byCommit, byTransaction] : [byTransaction, byCommit];
        const firstDone = one();
        await lockWaits(looker, 1);
        const secondDone = other();
        await lockWaits(looker, 2);
        await outside.query('COMMIT');
        await Promise.all([firstDone, secondDone]);
      } finally {
        await looker.end();
      }
      expect(await seen()).toMatchObject({ entries: [1, 2], ...sentBy(...(first === 'commit' ? [1, 2] : [2, 1])) });
    },
  );

  it('is refused at another isolation level, at which it could overlook a receiver', async () => {
    const { transaction, client } = await begin();
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await client.query(`INSERT INTO written VALUES ('a')`);
    const request = { workerId: worker, entry: newEntry('one', 1), effects: effectsOf(1) };
    await expect(transaction.commit(request)).rejects.toMatchObject({
      code: 'TRANSACTION',
      message: expect.stringContaining('repeatable read'),
    });
    expect(await seen()).toEqual(nothing);

    const silent = await begin();
    await silent.client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await silent.transaction.commit({ workerId: worker, entry: newEntry('one', 1) });
    expect(await seen()).toMatchObject({ entries: [1] });
  });
});
