// Statements that take effect while their answers get lost, and the calls that are made again.
import type { IncomingMessage, ProgressBatch, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { batch, claimRequest, complete, newEntry, newInstance, park } from './worker-calls.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';

let watched: WatchedPool;
let storage: Storage;
let worker: string;
let looker: pg.Client;

beforeEach(async () => {
  const { url } = await createDatabase();
  looker = new pg.Client({ connectionString: url });
  await looker.connect();
  watched = watchedPool(url);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
});

afterEach(() => looker.end());

/** The next statement of that beginning is carried out, and its connection breaks before the answer is there. */
function loseAnswerTo(part: string): void {
  watched.intercept(async (query, send) => {
    if (!query.text.includes(part)) return send();
    watched.intercept(undefined);
    await send();
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  });
}

async function commitWithLostAnswer(progress: ProgressBatch): Promise<void> {
  loseAnswerTo('.commit_');
  await expect(storage.runs.commit(progress)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    cause: { code: 'ECONNRESET' },
  });
}

const event = { source: '/test', topic: 'event:paid', data: '1', starts: null } as const;

describe('a commit whose answer is lost', () => {
  it('is repeated without another effect', async () => {
    await storage.runs.commit(batch(worker, { starts: [newInstance('one'), newInstance('two')] }));
    const progress = batch(worker, {
      starts: [newInstance('new'), newInstance('short')],
      entries: [newEntry('one', 1), newEntry('new', 1), newEntry('short', 1)],
      subscriptions: [{ instanceId: 'one', topic: 'event:x' }],
      settlements: [park('one'), complete('two'), complete('short')],
    });
    await commitWithLostAnswer(progress);
    const before = await Promise.all(['one', 'two', 'new', 'short'].map((id) => storage.instances.get(id)));
    expect(await storage.runs.commit(progress)).toMatchObject({ conflicts: [], refused: [] });
    expect(await Promise.all(['one', 'two', 'new', 'short'].map((id) => storage.instances.get(id)))).toEqual(before);
  });

  it('does not put away a run that the same worker has claimed again in the meantime', async () => {
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    const parking = batch(worker, { settlements: [park('one')] });
    await commitWithLostAnswer(parking);
    await storage.messages.deliver({ ...event, messageId: 'a', to: { type: 'instance', instanceId: 'one' } });
    const { claimed } = await storage.runs.claim(claimRequest(worker));
    expect(claimed).toMatchObject([{ instanceId: 'one', mail: [{ data: '1' }] }]);

    expect(await storage.runs.commit(parking)).toMatchObject({ refused: [] });
    expect(await storage.instances.get('one')).toMatchObject({ status: 'running', owner: worker });
    // What the new run does for itself is done.
    await storage.runs.commit(batch(worker, { settlements: [complete('one', claimed[0]!.claim)] }));
    expect((await storage.instances.get('one'))?.status).toBe('completed');
  });

  it('that was refused stays refused', async () => {
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await storage.messages.deliver({ ...event, messageId: 'a', to: { type: 'instance', instanceId: 'one' } });
    const parking = batch(worker, { settlements: [park('one')] });
    await commitWithLostAnswer(parking);
    expect(await storage.runs.commit(parking)).toMatchObject({ refused: ['one'] });
  });
});

describe('a claim whose answer is lost', () => {
  it('leaves nothing that nobody knows of', async () => {
    await storage.runs.commit(batch(worker, { starts: [newInstance('one', { owned: false }), newInstance('held')] }));
    loseAnswerTo('claim_runs_1');
    await expect(storage.runs.claim(claimRequest(worker))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    const { claimed } = await storage.runs.claim(claimRequest(worker, { holding: ['held'] }));
    expect(claimed.map((run) => run.instanceId)).toEqual(['one']);
  });

  it('and which is still running in the server when it is repeated, is waited for', async () => {
    await storage.runs.commit(batch(worker, { starts: [newInstance('one', { owned: false })] }));
    // The statement goes out late, behind the back of the call that gave it up, in a transaction that stays open for a while.
    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    let late: Promise<unknown> = Promise.resolve();
    await new Promise<void>((sent) => {
      watched.intercept((query, _send, client) => {
        if (!query.text.includes('claim_runs_1')) return _send();
        watched.intercept(undefined);
        late = (async () => {
          await client.query({ text: 'BEGIN' });
          await client.query(query);
          sent();
          await gate;
          await client.query({ text: 'COMMIT' });
        })();
        return new Promise((_, reject) => {
          void late.then(() => reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })));
        });
      });
      storage.runs.claim(claimRequest(worker)).catch(() => undefined);
    });
    const repeated = storage.runs.claim(claimRequest(worker, { holding: [] }));
    await lockWaits(looker, 1);
    goOn();
    await late;
    expect((await repeated).claimed.map((run) => run.instanceId)).toEqual(['one']);
  });
});

describe('other calls whose answers are lost', () => {
  it('deliver, cancel and signals', async () => {
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    const sent: IncomingMessage = { ...event, messageId: 'a', to: { type: 'instance', instanceId: 'one' } };
    loseAnswerTo('SELECT to_json(outcomes)');
    await expect(storage.messages.deliver(sent)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect((await storage.messages.deliver(sent)).outcome).toBe('duplicate');
    loseAnswerTo('\n    WITH target');
    await expect(storage.instances.requestCancel({ instanceId: 'one', reason: 'x' })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    expect((await storage.instances.requestCancel({ instanceId: 'one', reason: 'y' })).outcome).toBe('already');
    const request = { workerId: worker, instanceIds: ['one'], mailLimit: 10 };
    loseAnswerTo('\n    WITH alive');
    await expect(storage.runs.readSignals(request)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await storage.runs.readSignals(request)).toMatchObject([{ cancel: { reason: 'x' }, mail: [{ data: '1' }] }]);
  });
});
