// Statements that overtake each other, held in the middle by a lock of the test so that it happens every time.
import type { Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { batch, claimRequest, complete, look, newEntry, newInstance, park, renewal } from './worker-calls.js';

let storage: Storage;
/** Sessions of the test: one by which it holds locks, and one by which it looks (a transaction sees what it saw of others first). */
let outside: pg.Client;
let looker: pg.Client;

beforeEach(async () => {
  const { url } = await createDatabase();
  storage = await openStorage({ connectionString: url });
  outside = new pg.Client({ connectionString: url });
  looker = new pg.Client({ connectionString: url });
  await Promise.all([outside.connect(), looker.connect()]);
});

afterEach(() => Promise.all([outside.end(), looker.end()]));

/**
 * Starts `statement` so that it stops at the fence, with its view of the tables taken; then lets `meanwhile` commit; then lets it go.
 */
async function overtaken<T>(workerId: string, statement: () => Promise<T>, meanwhile: () => Promise<unknown>): Promise<T> {
  await outside.query('BEGIN');
  await outside.query('SELECT FROM romancy.workers WHERE worker_id = $1 FOR UPDATE', [workerId]);
  const running = statement();
  await lockWaits(looker, 1);
  await meanwhile();
  await outside.query('COMMIT');
  return running;
}

const event = { source: '/test', topic: 'event:paid', data: '"late"', starts: null } as const;

describe('a delivery that commits after the snapshot of', () => {
  it('a claim, and before the row is locked: its mail comes with the claim', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one', { owned: false })] }));
    const { claimed } = await overtaken(
      worker,
      () => storage.runs.claim(claimRequest(worker)),
      () => storage.messages.deliver({ ...event, messageId: 'a', to: { type: 'instance', instanceId: 'one' } }),
    );
    expect(claimed).toMatchObject([{ instanceId: 'one', mail: [{ data: '"late"' }] }]);
    expect((await storage.runs.commit(batch(worker, { settlements: [park('one')] }))).refused).toEqual([]);
  });

  it('a claim that reads again what others added: the history too', async () => {
    const [worker, other] = [await registered(storage, 'worker'), await registered(storage, 'other')];
    await storage.runs.commit(batch(worker, { starts: [newInstance('one', { owned: false })] }));
    const { claimed } = await overtaken(
      worker,
      () => storage.runs.claim(claimRequest(worker)),
      async () => {
        // Claimed, worked on and handed back, all while the first claim stands still.
        await storage.runs.claim(claimRequest(other));
        await storage.runs.commit(
          batch(other, {
            entries: [newEntry('one', 1)],
            settlements: [{ type: 'release', instanceId: 'one', claim: 1, wakeAt: 1 }],
          }),
        );
      },
    );
    expect(claimed).toMatchObject([{ instanceId: 'one', claim: 2, history: [{ seq: 1 }], historyComplete: true }]);
  });

  it('a claim, which the row is then not due for any more: it is left alone', async () => {
    const [worker, other] = [await registered(storage, 'worker'), await registered(storage, 'other')];
    await storage.runs.commit(batch(worker, { starts: [newInstance('one', { owned: false })] }));
    const { claimed } = await overtaken(
      worker,
      () => storage.runs.claim(claimRequest(worker)),
      () => storage.runs.claim(claimRequest(other)),
    );
    expect(claimed).toEqual([]);
    expect((await storage.instances.get('one'))?.owner).toBe(other);
  });

  it('a reading of signals: what is cleared is also read', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await storage.messages.deliver({
      ...event,
      messageId: 'first',
      to: { type: 'instance', instanceId: 'one' },
      data: '"first"',
    });
    const [signals] = await overtaken(
      worker,
      () => storage.runs.readSignals({ workerId: worker, instanceIds: ['one'], mailLimit: 10 }),
      () => storage.messages.deliver({ ...event, messageId: 'second', to: { type: 'instance', instanceId: 'one' } }),
    );
    expect(signals?.mail.map(({ data }) => data)).toEqual(['"first"', '"late"']);
    expect((await storage.runs.commit(batch(worker, { settlements: [park('one')] }))).refused).toEqual([]);
  });

  it('a reading of signals of an instance without attention: it is not cleared', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    const [signals] = await overtaken(
      worker,
      () => storage.runs.readSignals({ workerId: worker, instanceIds: ['one'], mailLimit: 10 }),
      () => storage.messages.deliver({ ...event, messageId: 'a', to: { type: 'instance', instanceId: 'one' } }),
    );
    expect(signals?.mail).toEqual([]);
    expect((await storage.runs.commit(batch(worker, { settlements: [park('one')] }))).refused).toEqual(['one']);
  });

  it('a park: it is refused', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    const { refused } = await overtaken(
      worker,
      () => storage.runs.commit(batch(worker, { settlements: [park('one')] })),
      () => storage.messages.deliver({ ...event, messageId: 'a', to: { type: 'instance', instanceId: 'one' } }),
    );
    expect(refused).toEqual(['one']);
  });

  it('a completion: no mail stays behind', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await overtaken(
      worker,
      () => storage.runs.commit(batch(worker, { settlements: [complete('one')] })),
      () => storage.messages.deliver({ ...event, messageId: 'a', to: { type: 'instance', instanceId: 'one' } }),
    );
    expect((await storage.instances.get('one'))?.status).toBe('completed');
    expect((await outside.query('SELECT FROM romancy.mailbox')).rowCount).toBe(0);
  });
});

describe('the fence', () => {
  it('holds a reaper off while a commit is under way, and then lets it release what that left', async () => {
    const [worker, reaper] = [await registered(storage, 'worker'), await registered(storage, 'reaper')];
    await storage.runs.commit(batch(worker, { starts: [newInstance('one'), newInstance('two')] }));
    await storage.leases.upkeep(renewal(worker, -1));
    // The commit has passed the fence and waits for a row.
    await outside.query('BEGIN');
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'one' FOR UPDATE`);
    const committing = storage.runs.commit(batch(worker, { settlements: [complete('one')] }));
    await lockWaits(looker, 1);
    expect((await storage.leases.upkeep(look(reaper))).reaped).toEqual([]);
    await outside.query('COMMIT');
    expect((await committing).refused).toEqual([]);
    expect((await storage.leases.upkeep(look(reaper))).reaped).toEqual([{ workerId: worker, released: 1 }]);
    expect((await storage.instances.get('one'))?.status).toBe('completed');
    expect((await storage.instances.get('two'))?.status).toBe('pending');
  });

  it('is not waited for behind a row that somebody keeps: the dead are left for the next time, the lease of who asks is renewed', async () => {
    const [worker, reaper] = [await registered(storage, 'worker'), await registered(storage, 'reaper')];
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await storage.leases.upkeep(renewal(worker, -1));
    await outside.query('BEGIN');
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'one' FOR UPDATE`);
    expect(await storage.leases.upkeep(renewal(reaper, 3_600_000))).toMatchObject({ alive: true, reaped: [], peers: [worker] });
    expect((await storage.instances.get('one'))?.status).toBe('running');
    await outside.query('COMMIT');
    expect((await storage.leases.upkeep(look(reaper))).reaped).toEqual([{ workerId: worker, released: 1 }]);
  });

  it('stops a commit that waits for the reaper, once the worker is declared dead', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one')] }));
    await outside.query('BEGIN');
    await outside.query('DELETE FROM romancy.workers WHERE worker_id = $1', [worker]);
    const everything = batch(worker, {
      starts: [newInstance('new')],
      entries: [newEntry('one', 1), newEntry('new', 1)],
      subscriptions: [{ instanceId: 'one', topic: 'event:x' }],
      settlements: [complete('one')],
    });
    const outcomes = Promise.allSettled([
      storage.runs.commit(everything),
      storage.runs.claim(claimRequest(worker, { holding: [] })),
      storage.runs.readSignals({ workerId: worker, instanceIds: ['one'], mailLimit: 1 }),
    ]);
    await lockWaits(looker, 3);
    await outside.query('COMMIT');
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'LEASE_LOST' } });
    expect(await storage.instances.get('new')).toBeUndefined();
    expect((await outside.query('SELECT FROM romancy.history')).rowCount).toBe(0);
    expect((await storage.instances.get('one'))?.status).toBe('running');
  });

  it('makes a retirement wait for a claim under way, and releases what that claimed', async () => {
    const worker = await registered(storage, 'worker');
    await storage.runs.commit(batch(worker, { starts: [newInstance('one', { owned: false }), newInstance('held')] }));
    await storage.messages.deliver({ ...event, messageId: 'a', to: { type: 'instance', instanceId: 'held' } });
    // A claim after a lost answer waits for the row of what was lost.
    await outside.query('BEGIN');
    await outside.query(`SELECT FROM romancy.instances WHERE instance_id = 'held' FOR UPDATE`);
    const claiming = storage.runs.claim(claimRequest(worker, { holding: [] }));
    await lockWaits(looker, 1);
    const retiring = storage.leases.retire({ workerId: worker });
    await lockWaits(looker, 2);
    await outside.query('COMMIT');
    expect((await claiming).claimed.map((run) => run.instanceId)).toEqual(['held', 'one']);
    expect(await retiring).toMatchObject({ released: 2 });
  });

  it('does not hold up a renewal', async () => {
    const worker = await registered(storage, 'worker');
    await outside.query('BEGIN');
    await outside.query('SELECT FROM romancy.workers WHERE worker_id = $1 FOR KEY SHARE', [worker]);
    expect((await storage.leases.upkeep(renewal(worker, 1000))).alive).toBe(true);
    await outside.query('COMMIT');
  });
});

describe('a park and a delivery at once', () => {
  it('lose nothing, 2,000 times', { timeout: 60_000 }, async () => {
    const worker = await registered(storage, 'worker');
    const lanes = Array.from({ length: 4 }, (_, lane) => `lane-${lane}`);
    await storage.runs.commit(batch(worker, { starts: lanes.map((id) => newInstance(id)) }));
    const claimOf = new Map(lanes.map((id) => [id, 1]));
    let [refusedCount, claimedCount] = [0, 0];
    for (let round = 0; round < 500; round++) {
      const [parked] = await Promise.all([
        storage.runs.commit(batch(worker, { settlements: lanes.map((id) => park(id, claimOf.get(id))) })),
        ...lanes.map((id) =>
          storage.messages.deliver({ ...event, messageId: `${id}-${round}`, to: { type: 'instance', instanceId: id } }),
        ),
      ]);
      // Whoever was put away before the delivery is claimable, whoever was not has attention.
      const { claimed } = await storage.runs.claim(claimRequest(worker));
      const signals = await storage.runs.readSignals({ workerId: worker, instanceIds: parked.refused, mailLimit: 10 });
      refusedCount += signals.length;
      claimedCount += claimed.length;
      for (const { instanceId, claim } of claimed) claimOf.set(instanceId, claim);
      const takenMail = [...claimed, ...signals].flatMap(({ instanceId, mail }) =>
        mail.map(({ mailId }) => ({ instanceId, mailId })),
      );
      expect(takenMail.map(({ instanceId }) => instanceId).sort()).toEqual(lanes);
      await storage.runs.commit(batch(worker, { takenMail }));
    }
    expect(refusedCount + claimedCount).toBe(2000);
  });
});
