// All transitions of a working day, on tables in which a lot has piled up.
import type { Storage } from '@romancy/core/ports';
import pg from 'pg';
import { registered } from './open-storage.js';
import { messageSteps } from './message-steps.js';
import { batch, claimRequest, complete, look, newEntry, newInstance, park, renewal } from './worker-calls.js';

export interface Amounts {
  readonly finished: number;
  readonly waiting: number;
}

const noFilter = {
  status: undefined,
  workflowName: undefined,
  instanceId: undefined,
  startedAfter: undefined,
  startedBefore: undefined,
  input: [],
  limit: 50,
  after: undefined,
} as const;

/** Finished instances with their history, and waiting ones with subscriptions and mail, as rows. */
export async function pileUp(url: string, { finished, waiting }: Amounts): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SET search_path TO romancy');
    await client.query(
      `INSERT INTO instances (instance_id, workflow_name, status, start_token, input, output, created_at, finished_at, claims)
       SELECT 'done-' || n, 'order', 'completed', '', '{"n":1}', '1', now() - n * interval '1 second', now(), 1
       FROM generate_series(1, $1::int) n`,
      [finished],
    );
    await client.query(
      `INSERT INTO history (instance_id, seq, kind, call_id, position, data, recorded_at)
       SELECT 'done-' || n, seq, 'activity_completed', 'step:' || seq, seq, '1', now()
       FROM generate_series(1, $1::int) n CROSS JOIN generate_series(1, 2) seq`,
      [finished],
    );
    await client.query(
      `INSERT INTO outbox (event_id, stream, type, source, data, status, may_lead, due_at, created_at, ended_at)
       SELECT 'sent-' || n, 's' || n % 100, 'done', 'test', '1', 'sent', false, now(), now(), now() - n * interval '1 second'
       FROM generate_series(1, $1::int) n`,
      [finished],
    );
    await client.query(
      `INSERT INTO instances (instance_id, workflow_name, status, wake_at, start_token, input, created_at, claims)
       SELECT 'waits-' || n, 'order', 'waiting_for_timer', now() + (3600 + n) * interval '1 second', '', '{"n":1}',
         now() - n * interval '1 second', 1
       FROM generate_series(1, $1::int) n`,
      [waiting],
    );
    for (const statement of [
      `INSERT INTO history (instance_id, seq, kind, call_id, position, data, recorded_at)
       SELECT 'waits-' || n, 1, 'timer_set', 'sleep:1', 0, NULL, now() FROM generate_series(1, $1::int) n`,
      `INSERT INTO subscriptions (topic, path, value, instance_id, seq)
       SELECT 'event:' || n % 1000, '', '', 'waits-' || n, 1 FROM generate_series(1, $1::int) n`,
      `INSERT INTO mailbox (instance_id, topic, message_id, data, delivered_at)
       SELECT 'waits-' || n, 'event:other', n::text, '1', now() FROM generate_series(1, $1::int) n`,
      `INSERT INTO subscriptions (topic, path, value, instance_id, seq)
       SELECT 'event:matched', '["order"]', n::text, 'waits-' || n, 1 FROM generate_series(1, $1::int) n`,
      `INSERT INTO subscriptions (topic, path, value, instance_id, mode, seeking_since, seq)
       SELECT 'channel:sought', '', '', 'waits-' || n, 'competing', n, 1 FROM generate_series(1, $1::int) n`,
      `INSERT INTO queued_messages (topic, message_id, data, queued_at)
       SELECT 'channel:backlog', n::text, '1', now() FROM generate_series(1, $1::int) n`,
      `INSERT INTO channels (topic, mode, used_at) SELECT 'channel:' || n, 'broadcast', now() FROM generate_series(1, $1::int) n`,
      `INSERT INTO group_members (group_name, instance_id) SELECT 'group-' || n % 2000, 'waits-' || n FROM generate_series(1, $1::int) n`,
      // One that is tried again in an hour, and all that waits behind it.
      `INSERT INTO outbox (event_id, stream, type, source, data, status, may_lead, due_at, created_at)
       SELECT 'behind-' || n, 'blocked', 'done', 'test', '1', 'pending', n = 1, now() + CASE n WHEN 1 THEN interval '1 hour' ELSE '0' END, now()
       FROM generate_series(1, $1::int) n`,
      `INSERT INTO seen_events (source, event_id, seen_at) SELECT 'test', n::text, now() FROM generate_series(1, $1::int) n`,
    ]) {
      await client.query(statement, [waiting]);
    }
  } finally {
    await client.end();
  }
}

/** @param name called before each step with what it is. */
export async function hotSteps(storage: Storage, name: (step: string) => void): Promise<void> {
  const { leases, runs, instances, messages, transactions } = storage;
  name('register');
  const workerId = await registered(storage, 'worker');
  const other = await registered(storage, 'other');
  const ids = Array.from({ length: 40 }, (_, index) => `new-${index}`);

  name('start');
  const starts = ids.map((id) => newInstance(id, { owned: false }));
  await runs.commit(batch(workerId, { starts }));
  name('conflict');
  await runs.commit(batch(workerId, { starts: [newInstance('done-7', { startToken: 'another' })] }));
  name('claim');
  const { claimed } = await runs.claim(claimRequest(workerId, { workflowNames: ['refund', 'order', 'return'] }));
  if (claimed.length !== ids.length) throw new Error(`${claimed.length} were claimed`);
  name('claim in vain');
  await runs.claim(claimRequest(workerId));
  name('look');
  await runs.claim(claimRequest(workerId, { limit: 0 }));
  name('claim after a lost answer');
  await runs.claim(claimRequest(workerId, { holding: ids }));

  name('record');
  const entries = ids.flatMap((id) => [newEntry(id, 1), newEntry(id, 2)]);
  const subscriptions = ids.map((instanceId) => ({ instanceId, topic: 'event:mine' }));
  await runs.commit(batch(workerId, { entries, subscriptions }));
  name('start and end');
  await runs.commit(
    batch(workerId, { starts: [newInstance('short')], entries: [newEntry('short', 1)], settlements: [complete('short')] }),
  );
  name('alone');
  for (const id of ['alone', 'at once']) {
    await runs.commit(batch(workerId, { starts: [newInstance(id)] }));
    await runs.commit(batch(workerId, { entries: id === 'alone' ? [newEntry(id, 1)] : [], settlements: [complete(id)] }));
  }
  name('deliver to a channel');
  await messages.deliver({
    messageId: 'a',
    source: 'plan',
    topic: 'event:mine',
    data: '1',
    starts: null,
    to: { type: 'subscribers' },
  });
  name('deliver to one');
  await messages.deliver({
    messageId: 'b',
    source: 'plan',
    topic: 'event:x',
    data: '1',
    starts: null,
    to: { type: 'instance', instanceId: 'new-1' },
  });
  await messages.deliver({
    messageId: 'c',
    source: 'plan',
    topic: 'event:x',
    data: '1',
    starts: null,
    to: { type: 'instance', instanceId: 'waits-99' },
  });
  name('deliver again');
  await messages.deliver({
    messageId: 'b',
    source: 'plan',
    topic: 'event:x',
    data: '1',
    starts: null,
    to: { type: 'instance', instanceId: 'new-1' },
  });
  name('signals');
  const signals = await runs.readSignals({ workerId, instanceIds: ids, mailLimit: 100 });
  name('take mail');
  const takenMail = signals.flatMap(({ instanceId, mail }) => mail.map(({ mailId }) => ({ instanceId, mailId })));
  await runs.commit(batch(workerId, { takenMail }));
  name('mail');
  await runs.mail({ instanceId: 'waits-50', topic: 'event:other', afterMailId: '1', limit: 100 });
  name('history');
  await runs.history({ instanceId: 'done-50', afterSeq: 1, limit: 100 });
  name('cancel');
  await instances.requestCancel({ instanceId: 'waits-3', reason: null });

  name('settle');
  const settlements = ids.map((id, index) => (index % 2 === 0 ? complete(id) : park(id)));
  await runs.commit(batch(workerId, { settlements }));
  name('finished');
  await instances.finished(['done-1', 'waits-1', ...ids]);
  name('get');
  await instances.get('waits-7');
  name('upkeep');
  await leases.upkeep(renewal(workerId, 1000));

  name('activity transaction');
  const transaction = await transactions.begin({ signal: new AbortController().signal });
  await transaction.commit({ workerId, entry: newEntry('new-1', 8) });

  await messageSteps(storage, { workerId, name });

  name('list');
  const [last] = await instances.list({ ...noFilter, limit: 1 });
  await instances.list({ ...noFilter, after: { createdAt: last!.createdAt - 5000, instanceId: last!.instanceId } });
  name('list by status');
  await instances.list({ ...noFilter, status: ['running', 'failed', 'stalled'] });
  await instances.list({ ...noFilter, status: ['waiting_for_timer'], startedBefore: Date.now() });

  name('look');
  await leases.upkeep(look(workerId));
  name('reap');
  await runs.commit(batch(other, { starts: [newInstance('orphan')] }));
  await leases.upkeep(renewal(other, -1));
  await leases.upkeep(look(workerId));
  name('retire');
  await leases.retire({ workerId });
}
