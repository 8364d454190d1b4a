// Fills a database with finished and waiting instances, and looks at how SQLite goes about each statement of a day's work.
import type { Effect, Recipient, Settlement, Storage } from '@romancy/core/ports';
import { recordingLogger } from '@romancy/core/testing';
import { createSqliteStorage, type SqliteTransaction } from '@romancy/storage-sqlite';
import Database from 'better-sqlite3';
import {
  batch,
  claimAll,
  complete,
  entry,
  incoming,
  look,
  noSignal,
  outgoingEvent,
  publishing,
  register,
  renewal,
  start,
} from './local-storage.js';
import { createSystemClock } from './system-clock.js';

/** A statement, and the lines of its query plan. */
export interface Plan {
  readonly sql: string;
  readonly steps: readonly string[];
}

export interface HotStatements {
  readonly plans: readonly Plan[];
  /** How long each transition of the day's work took, in milliseconds. */
  readonly durations: ReadonlyMap<string, number>;
}

/** Instances of ten workflows: `finished` that completed, each with three entries; `waiting` for a timer, an event, or a retry. */
export function fill(
  database: Database.Database,
  { finished, waiting }: { readonly finished: number; readonly waiting: number },
): void {
  const now = Date.now();
  database.pragma('synchronous = OFF');
  database.exec(`
    BEGIN;
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${finished + waiting})
    INSERT INTO romancy_instances
      (instance_id, workflow_name, status, wake_at, claims, start_token, created_at, finished_at, output)
    SELECT 'instance-' || n, CASE n % 10 WHEN 0 THEN 'order' ELSE 'workflow-' || (n % 10) END,
      CASE WHEN n <= ${finished} THEN 'completed'
        ELSE CASE n % 3 WHEN 0 THEN 'waiting_for_timer' WHEN 1 THEN 'waiting_for_event' ELSE 'waiting_for_retry' END END,
      CASE WHEN n > ${finished} AND n % 3 <> 1 THEN ${now} + 3600000 + n END,
      1, 'token-' || n, ${now} - ${finished + waiting} + n, CASE WHEN n <= ${finished} THEN ${now} END, '"done"'
    FROM n;
    INSERT INTO romancy_inputs SELECT id, '{"number":' || id || '}' FROM romancy_instances;
    INSERT INTO romancy_history
      SELECT i.id, seq.value, 'activity_completed', 'call:' || seq.value, seq.value, '"some result"', NULL, ${now}
      FROM romancy_instances i, json_each('[1,2,3]') seq;
    INSERT INTO romancy_subscriptions
      SELECT 'event:news', '', '', id, 1, NULL FROM romancy_instances WHERE status = 'waiting_for_event' LIMIT 100;
    INSERT INTO romancy_subscriptions
      SELECT 'event:paid', '["order"]', '"' || id || '"', id, 1, NULL FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_subscriptions SELECT 'event:' || id, '', '', id, 1, NULL FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_subscriptions
      SELECT 'channel:jobs', '', '', id, 1, id FROM romancy_instances WHERE status = 'waiting_for_event';
    INSERT INTO romancy_channels SELECT 'channel:' || id, 'broadcast', ${now} - 90000000 + id FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_channels VALUES ('channel:jobs', 'competing', ${now}), ('channel:backlog', 'competing', ${now});
    INSERT INTO romancy_queued_messages (topic, message_id, data, queued_at)
      SELECT 'channel:backlog', 'message-' || id, '1', ${now} FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_group_members SELECT 'all', instance_id, id FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_event_starts SELECT 'event:' || id, 'workflow-' || id FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_mailbox (id, topic, message_id, data)
      SELECT id, 'event:' || id, 'message-' || id, '1' FROM romancy_instances WHERE status = 'waiting_for_retry';
    INSERT INTO romancy_seen_events SELECT '/tests', 'event-' || id, ${now} FROM romancy_instances;
    INSERT INTO romancy_outbox (event_id, stream, type, source, data, status, due_at, created_at, ended_at)
      SELECT 'event-' || id, 'stream-' || id, 'made', '/tests', '{}', 'sent', ${now}, ${now}, ${now} FROM romancy_instances
      WHERE status = 'completed';
    -- One that comes next of its stream and waits, and what waits behind it, much of it in one stream.
    INSERT INTO romancy_outbox (event_id, stream, type, source, data, status, due_at, turn_at, created_at)
      SELECT 'head-' || id, 'waiting-' || id, 'made', '/tests', '{}', 'pending', ${now} + 3600000, ${now} + 3600000, ${now}
      FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_outbox (event_id, stream, type, source, data, status, due_at, created_at)
      SELECT 'behind-' || id, 'waiting-' || (SELECT max(id) FROM romancy_instances), 'made', '/tests', '{}', 'pending', ${now}, ${now}
      FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_outbox (event_id, stream, type, source, data, status, due_at, created_at, ended_at)
      SELECT 'failed-' || id, 'stream-' || id, 'made', '/tests', '{}', 'failed', ${now}, ${now}, ${now} FROM romancy_instances
      WHERE status = 'waiting_for_timer';
    COMMIT;
  `);
  database.pragma('wal_checkpoint(TRUNCATE)');
}

/** Goes through all transitions on a filled database, and explains every statement that was run. */
export async function explainHotStatements(
  filename: string,
  size: { readonly finished: number; readonly waiting: number },
): Promise<HotStatements> {
  const making = createSqliteStorage({ filename });
  const context = { clock: createSystemClock(), logger: recordingLogger() };
  await making.open(context);
  await making.close();
  const statements = new Set<string>();
  const database = new Database(filename, { timeout: 0, verbose: (sql) => void statements.add(String(sql)) });
  fill(database, size);
  statements.clear();
  const storage = createSqliteStorage({ database });
  await storage.open(context);
  try {
    const durations = await workForADay(storage, context.clock.now());
    await storage.close();
    const explained = [...statements].filter(
      (sql) => /^(SELECT|INSERT|UPDATE|DELETE)/.test(sql) && !sql.includes('sqlite_schema'),
    );
    const explain = (): readonly Plan[] =>
      explained.map((sql) => {
        const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as readonly { readonly detail: string }[];
        return { sql, steps: steps.map(({ detail }) => detail) };
      });
    const plans = [...explain()];
    // What SQLite knows of the distribution of values must not lead it elsewhere: the owner of a database may have it find out.
    database.exec('ANALYZE');
    plans.push(...explain());
    return { plans, durations };
  } finally {
    await storage.close();
    database.close();
  }
}

async function workForADay(storage: Storage, now: number): Promise<ReadonlyMap<string, number>> {
  const durations = new Map<string, number>();
  const time = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await work();
    durations.set(what, performance.now() - began);
    return result;
  };
  const { leases, runs, instances } = storage;
  await time('register', () => register(storage, 'me'));
  await register(storage, 'other', 0);
  await time('upkeep', () => leases.upkeep(renewal('me', 60_000)));
  await time('look', () => leases.upkeep(look('me')));
  await time('claim nothing', () => runs.claim(claimAll('me')));
  await runs.commit(batch('me', { starts: ['a', 'b', 'c', 'd'].map((id) => start(id, id !== 'b')), entries: [entry('a', 1)] }));
  await runs.commit(batch('me', { subscriptions: [{ instanceId: 'a', topic: 'event:paid' }] }));
  await time('commit', () =>
    runs.commit(batch('me', { starts: [start('e')], entries: [entry('e', 1)], settlements: [complete('e')] })),
  );
  const toA: Recipient = { type: 'instance', instanceId: 'a' };
  const { messages, outbox, retention } = storage;
  await time('deliver to one', () => messages.deliver(incoming('1', 'event:paid', { to: toA })));
  await time('deliver to all', () => messages.deliver({ ...incoming('2', 'event:paid', { data: { order: '1' } }), starts }));
  await time('deliver to a hundred', () => messages.deliver(incoming('7', 'event:news')));
  await time('deliver to those who seek', () => messages.deliver(incoming('4', 'channel:jobs')));
  await time('deliver to a queue', () => messages.deliver(incoming('5', 'channel:nobody')));
  await time('fix a mode', () => messages.fixMode({ topic: 'channel:nobody', mode: 'competing' }));
  await messages.fixMode({ topic: 'channel:news', mode: 'broadcast' });
  await time('members', () => messages.members('few'));
  const ends = { ...complete('f'), messages: [{ messageId: '6', topic: 'child:f', data: '1', to: toA }] } as Settlement;
  await time('commit effects', () => commitEffects(storage));
  await time('finish with effects', () => runs.commit(batch('me', { settlements: [ends, recurrence] })));
  await time('cancel', () => instances.requestCancel({ instanceId: 'd', reason: 'x' }));
  await time('claim', () => runs.claim({ ...claimAll('me'), workflowNames: ['order', 'workflow-1', 'none'] }));
  await time('claim after a lost answer', () => runs.claim({ ...claimAll('me'), holding: [] }));
  const [signals] = await time('read signals', () =>
    runs.readSignals({ workerId: 'me', instanceIds: ['a', 'd'], mailLimit: 10 }),
  );
  await messages.deliver(incoming('3', 'event:paid', { to: toA }));
  await runs.readSignals({ workerId: 'me', instanceIds: ['a'], mailLimit: 10 });
  const mailId = signals?.mail[0]?.mailId ?? '0';
  await runs.commit(
    batch('me', {
      takenMail: [{ instanceId: 'a', mailId }],
      settlements: [
        { type: 'park', instanceId: 'a', claim: 2, status: 'waiting_for_timer', wakeAt: now + 1 },
        { type: 'release', instanceId: 'b', claim: 2, wakeAt: null },
        { type: 'stall', instanceId: 'c', claim: 2, wakeAt: now + 1, error: '1' },
        { type: 'finish', instanceId: 'd', claim: 2, status: 'cancelled', output: null, error: null },
      ],
    }),
  );
  await time('mail', () => runs.mail({ instanceId: 'a', topic: 'event:paid', afterMailId: null, limit: 10 }));
  await time('history', () => runs.history({ instanceId: 'a', afterSeq: 0, limit: 10 }));
  await time('get', () => instances.get('a'));
  await time('finished', () => instances.finished(['a', 'b', 'instance-1']));
  const page = {
    workflowName: undefined,
    instanceId: undefined,
    startedAfter: undefined,
    startedBefore: undefined,
    input: [],
    limit: 50,
  };
  await time('list', () => instances.list({ ...page, status: undefined, after: undefined }));
  await time('list what failed', () => instances.list({ ...page, status: ['failed'], after: undefined }));
  await time('list what runs', () => instances.list({ ...page, status: ['running'], after: undefined }));
  await time('list what waits', () =>
    instances.list({ ...page, status: ['waiting_for_event', 'pending'], after: { createdAt: now, instanceId: 'x' } }),
  );
  await time('history of a part', () => instances.history({ instanceId: 'g~1', afterSeq: 0, limit: 10 }));
  const claimed = await time('claim events', () => outbox.claim({ workerId: 'me', limit: 10 }));
  await time('settle events', () =>
    outbox.settle({
      workerId: 'me',
      results: claimed.events.map(({ eventId }, index) =>
        index === 0 ? { type: 'sent', eventId } : { type: 'retry', eventId, dueAt: now, error: '1' },
      ),
    }),
  );
  for (const result of [{ type: 'release' }, { type: 'failed', error: '1' }] as const) {
    const { events } = await outbox.claim({ workerId: 'me', limit: 10 });
    await outbox.settle({ workerId: 'me', results: events.map(({ eventId }) => ({ eventId, ...result })) });
  }
  const any = { status: undefined, eventIds: undefined, type: undefined, before: undefined, limit: 10 };
  await time('list events', () => outbox.list({ ...any, after: 'event-7' }));
  await time('list failed events', () => outbox.list({ ...any, status: ['failed'], after: undefined }));
  await time('requeue events', () => outbox.requeue({ ...any, status: ['failed'] }));
  await time('purge events', () => outbox.purge({ ...any, eventIds: ['event-1', 'failed-1', 'behind-1'] }));
  const old = { completed: now + 1, failed: now, cancelled: now, recurred: now + 1 };
  await time('retention', () =>
    retention.purge({ instances: old, sentEvents: now + 1, seenEvents: now + 1, queuedMessages: now, mostQueued: 10, limit: 10 }),
  );
  const transaction = await storage.transactions.begin({ signal: noSignal });
  (transaction.handle as SqliteTransaction<never>).database.exec('CREATE TABLE mine (x)');
  await transaction.rollback();
  await time('retire', () => leases.retire({ workerId: 'me' }));
  return durations;
}

const starts = { input: '1', idEnding: '1' };

/** Goes on in a part of its own, with one of two subscriptions. */
const recurrence: Settlement = {
  type: 'recur',
  instanceId: 'g',
  claim: 1,
  archiveId: 'g~1',
  input: '2',
  carried: { ...entry('g', 10), kind: 'carried_over' },
  keep: [{ topic: 'channel:news' }],
  owned: true,
};

async function commitEffects({ runs }: Storage): Promise<void> {
  const effect = (seq: number, parts: EffectParts): Effect => ({ instanceId: 'g', seq, ...parts });
  const jobs = 'channel:nobody';
  await runs.commit(
    batch('me', {
      starts: [
        start('f'),
        start('g'),
        { ...start('f'), startToken: 'x', parent: { instanceId: 'g', conflict: { messageId: 'c', data: '1' } } },
      ],
      entries: [1, 2, 3, 4, 5].map((seq) => entry('g', seq)),
      subscriptions: [
        { instanceId: 'g', topic: jobs, mode: 'competing' },
        { instanceId: 'g', topic: 'channel:news', mode: 'broadcast' },
        { instanceId: 'g', topic: 'event:some', filter: { path: ['a'], equals: 1 } },
      ],
      effects: [
        effect(1, { type: 'join', group: 'few' }),
        effect(1, { type: 'seek', topic: jobs }),
        publishing('g', 2, { topic: 'channel:news' }),
        publishing('g', 2, { topic: 'channel:x', to: { type: 'group', group: 'few' } }),
        publishing('g', 2, { topic: 'channel:x', to: { type: 'instance', instanceId: 'f' } }),
        effect(2, { type: 'event', event: outgoingEvent('x') }),
        effect(2, { type: 'event', event: outgoingEvent('y') }),
        effect(2, { type: 'cancel', order: { instanceId: 'c', reason: null } }),
        effect(3, { type: 'compensating' }),
      ],
    }),
  );
  await runs.commit(
    batch('me', {
      entries: [6, 7].map((seq) => entry('g', seq)),
      effects: [
        effect(6, { type: 'unseek', topic: jobs }),
        effect(6, { type: 'leave', group: 'some' }),
        effect(7, { type: 'unsubscribe', topic: 'event:some' }),
      ],
    }),
  );
}

type EffectParts = Effect extends infer One ? (One extends Effect ? Omit<One, 'instanceId' | 'seq'> : never) : never;
