// Who unsubscribes or leaves while a sender waits for somebody else's row gets nothing of what is sent.
import type { OutgoingMessage, Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockWaits } from './lock-waits.js';
import { openStorage, registered } from './open-storage.js';
import { batch, newEntry, newInstance } from './worker-calls.js';

const news = 'channel:news';

let storage: Storage;
let holder: pg.Client;
let looker: pg.Client;

beforeEach(async () => {
  const { url } = await createDatabase();
  storage = await openStorage({ connectionString: url });
  holder = new pg.Client({ connectionString: url });
  looker = new pg.Client({ connectionString: url });
  await Promise.all([holder.connect(), looker.connect()]);
  await storage.messages.fixMode({ topic: news, mode: 'broadcast' });
});

afterEach(() => Promise.all([holder.end(), looker.end()]));

it.each<[string, OutgoingMessage['to'], 'from outside' | 'by a commit']>([
  ['subscribers', { type: 'subscribers' }, 'from outside'],
  ['subscribers', { type: 'subscribers' }, 'by a commit'],
  ['members of a group', { type: 'group', group: 'team' }, 'from outside'],
  ['members of a group', { type: 'group', group: 'team' }, 'by a commit'],
])('%s, %#', async (_what, to, how) => {
  const [sender, receiver] = [await registered(storage, 'sender'), await registered(storage, 'receiver')];
  const ids = ['a', 'leaver'];
  await storage.runs.commit(
    batch(receiver, {
      starts: ids.map((id) => newInstance(id)),
      entries: ids.map((id) => newEntry(id, 1)),
      subscriptions: ids.map((instanceId) => ({ instanceId, topic: news, mode: 'broadcast' as const, seq: 1 })),
      effects: ids.map((instanceId) => ({ instanceId, seq: 1, type: 'join' as const, group: 'team' })),
    }),
  );
  await storage.runs.commit(batch(sender, { starts: [newInstance('publisher')] }));
  await holder.query('BEGIN');
  await holder.query(`SELECT FROM romancy.instances WHERE instance_id = 'a' FOR UPDATE`);
  const message: OutgoingMessage = { messageId: 'm', topic: news, data: '1', to };
  const sending =
    how === 'from outside'
      ? storage.messages.deliver({ ...message, source: 'test', starts: null })
      : storage.runs.commit(
          batch(sender, {
            entries: [newEntry('publisher', 1)],
            effects: [{ instanceId: 'publisher', seq: 1, type: 'message', message }],
          }),
        );
  await lockWaits(looker, 1);
  await storage.runs.commit(
    batch(receiver, {
      entries: [newEntry('leaver', 2)],
      effects: [
        { instanceId: 'leaver', seq: 2, type: 'unsubscribe', topic: news },
        { instanceId: 'leaver', seq: 2, type: 'leave', group: 'team' },
      ],
    }),
  );
  await holder.query('COMMIT');
  await sending;
  const { rows } = await looker.query(`SELECT instance_id FROM romancy.mailbox`);
  expect(rows).toEqual([{ instance_id: 'a' }]);
});
