// What an activity's entry brings about commits with its transaction, or not at all.
import type { Effect, Storage } from '@romancy/core/ports';
import { temporaryFile } from '@romancy/test-support';
import Database from 'better-sqlite3';
import { beforeEach, expect, it } from 'vitest';
import { batch, entry, incoming, noSignal, openStorage, outgoingEvent, publishing, register, start } from './local-storage.js';

const jobs = 'channel:jobs';
const tables = ['mailbox', 'queued_messages', 'outbox', 'group_members', 'subscriptions', 'history'];

let storage: Storage;
let outside: Database.Database;

/** How many rows there are of everything that effects write. */
const rows = (): readonly unknown[] =>
  tables.map((table) => outside.prepare(`SELECT count(*) FROM romancy_${table}`).pluck().get());
const mailOf = async (instanceId: string): Promise<readonly string[]> => {
  const signals = await storage.runs.readSignals({ workerId: 'me', instanceIds: [instanceId], mailLimit: 10 });
  return signals[0]!.mail.map(({ topic }) => topic);
};
const dueEvents = async (): Promise<readonly string[]> =>
  (await storage.outbox.claim({ workerId: 'me', limit: 10 })).events.map(({ eventId }) => eventId);

/** What an activity may do: tell everybody, one, a group, whoever competes, and the world. */
const effects: readonly Effect[] = [
  publishing('one', 2, { topic: 'channel:news' }),
  publishing('one', 2, { topic: 'channel:private', to: { type: 'instance', instanceId: 'two' } }),
  publishing('one', 2, { topic: 'channel:ours', to: { type: 'group', group: 'ours' } }),
  publishing('one', 2, { topic: jobs }),
  { type: 'event', instanceId: 'one', seq: 2, event: outgoingEvent('sent') },
];

beforeEach(async () => {
  const filename = await temporaryFile();
  storage = await openStorage({ filename, synchronous: 'normal' });
  outside = new Database(filename, { readonly: true });
  await register(storage, 'me');
  await storage.messages.fixMode({ topic: jobs, mode: 'competing' });
  await storage.messages.fixMode({ topic: 'channel:news', mode: 'broadcast' });
  await storage.runs.commit(
    batch('me', {
      starts: ['one', 'two'].map((id) => start(id)),
      entries: [entry('two', 1)],
      subscriptions: [
        { instanceId: 'two', topic: 'channel:news', mode: 'broadcast' },
        { instanceId: 'two', topic: jobs, mode: 'competing' },
      ],
      effects: [
        { type: 'join', instanceId: 'two', seq: 1, group: 'ours' },
        { type: 'seek', instanceId: 'two', seq: 1, topic: jobs },
      ],
    }),
  );
  return () => outside.close();
});

it('with it', async () => {
  const transaction = await storage.transactions.begin({ signal: noSignal });
  await transaction.commit({ workerId: 'me', entry: entry('one', 2), effects });
  expect(await mailOf('two')).toEqual(['channel:news', 'channel:private', 'channel:ours', jobs]);
  expect(await dueEvents()).toEqual(['sent']);
});

it('not at all when it rolls back, or cannot commit', async () => {
  const before = rows();
  const rolledBack = await storage.transactions.begin({ signal: noSignal });
  await rolledBack.rollback();

  await storage.runs.commit(batch('me', { entries: [entry('one', 3)] }));
  const twice = await storage.transactions.begin({ signal: noSignal });
  // The entry is there already, by whoever had the instance before.
  const late = effects.map((effect) => ({ ...effect, seq: 3 }));
  await expect(twice.commit({ workerId: 'me', entry: entry('one', 3), effects: late })).rejects.toThrow('already');

  const fenced = await storage.transactions.begin({ signal: noSignal });
  await expect(fenced.commit({ workerId: 'nobody', entry: entry('one', 2), effects })).rejects.toMatchObject({
    code: 'LEASE_LOST',
  });

  expect(rows()).toEqual([...before.slice(0, -1), (before.at(-1) as number) + 1]);
  expect(await mailOf('two')).toEqual([]);
  expect((await storage.messages.deliver(incoming('1', jobs))).receivers).toBe(1);
});

it('once, although what came before is on its way in a commit of its own', async () => {
  const before = { starts: [], entries: [entry('one', 2)], effects, subscriptions: [], takenMail: [] };
  const transaction = await storage.transactions.begin({ signal: noSignal });
  const waiting = storage.runs.commit(batch('me', before));
  await transaction.commit({ workerId: 'me', entry: entry('one', 3), before: [before] });
  const once = rows();
  expect((await waiting).undelivered).toEqual([]);
  expect(rows()).toEqual(once);
  expect(await mailOf('two')).toHaveLength(4);
  expect(await dueEvents()).toEqual(['sent']);
});

it('for a child whose id is taken, one word to its parent, whichever of the two commits comes first', async () => {
  const conflict = { messageId: 'taken', data: '"taken"' };
  const child = { ...start('two', false), startToken: 'another', parent: { instanceId: 'one', conflict } };
  const before = { starts: [child], entries: [entry('one', 1)], effects: [], subscriptions: [], takenMail: [] };
  const transaction = await storage.transactions.begin({ signal: noSignal });
  const waiting = storage.runs.commit(batch('me', before));
  await transaction.commit({ workerId: 'me', entry: entry('one', 2), before: [before] });
  expect((await waiting).conflicts).toEqual(['two']);
  expect(await mailOf('one')).toEqual(['child:two']);
});
