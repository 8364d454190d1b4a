// How many statements each transition takes: one, and one round trip, for all that happens often.
import type { Effect, Settlement, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStorage, registered } from './open-storage.js';
import { batch, claimRequest, complete, look, newEntry, newInstance, park, renewal } from './worker-calls.js';
import { watchedPool, type WatchedPool } from './watched-pool.js';

let watched: WatchedPool;
let storage: Storage;
let worker: string;

beforeEach(async () => {
  const { url } = await createDatabase();
  watched = watchedPool(url);
  storage = await openStorage({ pool: watched.pool });
  worker = await registered(storage, 'worker');
  await storage.runs.commit(batch(worker, { starts: [newInstance('one'), newInstance('two', { owned: false })] }));
});

const recurrence: Settlement = {
  ...{ type: 'recur', instanceId: 'one', claim: 1, archiveId: 'one~1', input: '1', keep: [], owned: true },
  carried: newEntry('one', 9),
};

const effects = (
  [
    { type: 'message', message: { messageId: 'm', topic: 'channel:jobs', data: '1', to: { type: 'subscribers' } } },
    { type: 'event', event: { eventId: 'e', stream: 's', type: 't', source: '/test', data: '1' } },
    { type: 'join', group: 'a' },
    { type: 'leave', group: 'b' },
    { type: 'seek', topic: 'channel:jobs' },
    { type: 'unseek', topic: 'channel:other' },
    { type: 'unsubscribe', topic: 'channel:third' },
    { type: 'cancel', order: { instanceId: 'two', reason: null } },
    { type: 'compensating' },
  ] as const
).map((effect): Effect => ({ ...effect, instanceId: 'one', seq: 1 }));

async function statementsOf(call: () => Promise<unknown>): Promise<number> {
  watched.statements.length = 0;
  await call();
  return watched.statements.length;
}

const event = {
  messageId: 'a',
  source: '/test',
  topic: 'event:paid',
  data: '1',
  to: { type: 'instance', instanceId: 'one' },
  starts: null,
} as const;

describe('one statement is', () => {
  it('a commit of everything at once', async () => {
    await storage.messages.deliver(event);
    const [signals] = await storage.runs.readSignals({ workerId: worker, instanceIds: ['one'], mailLimit: 10 });
    const progress = batch(worker, {
      starts: [newInstance('new'), newInstance('short')],
      entries: [newEntry('one', 1), newEntry('short', 1)],
      subscriptions: [{ instanceId: 'new', topic: 'event:x' }],
      takenMail: [{ instanceId: 'one', mailId: signals!.mail[0]!.mailId }],
      settlements: [park('one'), complete('short')],
    });
    expect(await statementsOf(() => storage.runs.commit(progress))).toBe(1);
  });

  it('a start that finds its id taken', async () => {
    const again = batch(worker, { starts: [newInstance('one', { startToken: 'another' })] });
    const commit = async (): Promise<void> => {
      expect((await storage.runs.commit(again)).conflicts).toEqual(['one']);
    };
    expect(await statementsOf(commit)).toBe(1);
  });

  it('a claim with history and mail', async () => {
    await storage.runs.commit(batch(worker, { entries: [newEntry('two', 1)] }));
    await storage.messages.deliver({ ...event, to: { type: 'instance', instanceId: 'two' } });
    expect(
      await statementsOf(async () => {
        const { claimed } = await storage.runs.claim(claimRequest(worker));
        expect(claimed).toMatchObject([{ history: [{ seq: 1 }], mail: [{ data: '1' }] }]);
      }),
    ).toBe(1);
  });

  it.for<readonly [string, (storage: Storage) => Promise<unknown>]>([
    ['a look', ({ runs }) => runs.claim(claimRequest('worker', { limit: 0 }))],
    ['a reading of signals', ({ runs }) => runs.readSignals({ workerId: 'worker', instanceIds: ['one'], mailLimit: 10 })],
    ['a delivery', ({ messages }) => messages.deliver(event)],
    [
      'a delivery to a queue',
      ({ messages }) => messages.deliver({ ...event, topic: 'channel:jobs', to: { type: 'subscribers' } }),
    ],
    ['the fixing of a mode', ({ messages }) => messages.fixMode({ topic: 'channel:jobs', mode: 'competing' })],
    ['a look at a group', ({ messages }) => messages.members('all')],
    ['a claim of events', ({ outbox }) => outbox.claim({ workerId: 'worker', limit: 10 })],
    ['a settling of events', ({ outbox }) => outbox.settle({ workerId: 'worker', results: [{ type: 'sent', eventId: 'none' }] })],
    ['a commit with a recurrence', ({ runs }) => runs.commit(batch('worker', { settlements: [recurrence] }))],
    [
      'a commit with effects of each type',
      ({ runs }) => runs.commit(batch('worker', { entries: [newEntry('one', 1)], effects })),
    ],
    ['a cancellation', ({ instances }) => instances.requestCancel({ instanceId: 'one', reason: null })],
    ['a look at an instance', ({ instances }) => instances.get('one')],
    ['a look at ended ones', ({ instances }) => instances.finished(['one'])],
    ['an upkeep', ({ leases }) => leases.upkeep(renewal('worker', 1000))],
    ['a look', ({ leases }) => leases.upkeep(look('worker'))],
    [
      'a registration',
      ({ leases }) => leases.register({ workerId: 'x', serviceName: 'x', leaseMs: 1, workflowNames: ['order'], starts: [] }),
    ],
  ])('%s', async ([, call]) => {
    expect(await statementsOf(() => call(storage))).toBe(1);
  });
});

describe('more than one statement takes', () => {
  it.for<readonly [string, number, boolean]>([
    ['an activity transaction: BEGIN, the entry, COMMIT', 3, false],
    ['an activity transaction with effects: one more', 4, true],
  ])('%s', async ([, expected, sends]) => {
    const commit = async (): Promise<void> => {
      const transaction = await storage.transactions.begin({ signal: new AbortController().signal });
      await transaction.commit({
        workerId: worker,
        entry: newEntry('one', 3),
        ...(sends ? { effects: effects.map((effect) => ({ ...effect, seq: 3 })) } : {}),
      });
    };
    expect(await statementsOf(commit)).toBe(expected);
  });
});

describe('a transaction', () => {
  it('does not stay when its process hangs in the middle of it', async () => {
    const told: unknown[] = [];
    watched.intercept(async (query, send, client) => {
      if (query.text === 'COMMIT') {
        const { rows } = await client.query({ text: 'SHOW idle_in_transaction_session_timeout' });
        told.push(rows[0]);
      }
      return send();
    });
    await storage.leases.retire({ workerId: worker });
    expect(told).toEqual([{ idle_in_transaction_session_timeout: '10s' }]);
  });
});

describe('all statements', () => {
  it('are without a name but for the commit and the claim, and leave nothing else in their session', async () => {
    const names = new Set<string | undefined>();
    watched.intercept((query, send) => {
      names.add(query.name);
      return send();
    });
    await storage.runs.claim(claimRequest(worker));
    const ofClaims = expect.stringMatching(/^romancy_claim_runs_1_[0-9a-f]{16}$/);
    expect([...names]).toEqual([ofClaims]);
    await storage.runs.claim(claimRequest(worker, { limit: 0 }));
    await storage.runs.commit(batch(worker, { entries: [newEntry('one', 1)] }));
    await storage.leases.retire({ workerId: worker });
    expect([...names]).toEqual([ofClaims, undefined, expect.stringMatching(/^romancy_entry_[0-9a-f]{16}$/)]);
    const sent = watched.statements.map((text) => text.replace(/\$body\$.*\$body\$/s, ''));
    for (const text of sent) expect(text).not.toMatch(/\b(LISTEN|PREPARE|DECLARE|CREATE TEMP)\b|\bSET (?!LOCAL)SESSION/);
  });

  it.for([
    ['26000', 'is not there'],
    ['42P05', 'is there already'],
  ])('have no name any more once a session says %s, that the named one %s', async ([code]) => {
    const names: (string | undefined)[] = [];
    watched.intercept((query, send) => {
      names.push(query.name);
      if (query.name !== undefined) throw Object.assign(new Error('refused before it began'), { code });
      return send();
    });
    const named = expect.stringContaining('romancy_entry');
    await storage.runs.commit(batch(worker, { entries: [newEntry('one', 1)] }));
    expect(names).toEqual([named, undefined]);
    await storage.runs.commit(batch(worker, { entries: [newEntry('one', 2)] }));
    expect(names).toEqual([named, undefined, undefined]);
    expect(await storage.runs.history({ instanceId: 'one', afterSeq: 0, limit: 10 })).toHaveLength(2);
  });
});
