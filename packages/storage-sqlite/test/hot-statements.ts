// Fills a database with finished and waiting instances, and looks at how SQLite goes about each statement of a day's work.
import type { Storage } from '@romancy/core/ports';
import { recordingLogger } from '@romancy/core/testing';
import { createSqliteStorage, type SqliteTransaction } from '@romancy/storage-sqlite';
import Database from 'better-sqlite3';
import { batch, claimAll, complete, entry, look, noSignal, register, renewal, start } from './local-storage.js';
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
    INSERT INTO romancy_subscriptions SELECT 'news', id FROM romancy_instances WHERE status = 'waiting_for_event' LIMIT 100;
    INSERT INTO romancy_subscriptions SELECT 'channel-' || id, id FROM romancy_instances WHERE status LIKE 'waiting%';
    INSERT INTO romancy_mailbox (id, channel, data)
      SELECT id, 'channel-' || id, '1' FROM romancy_instances WHERE status = 'waiting_for_retry';
    INSERT INTO romancy_seen_events SELECT '/tests', 'event-' || id, ${now} FROM romancy_instances;
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
  await runs.commit(batch('me', { subscriptions: [{ instanceId: 'a', channel: 'paid' }] }));
  await time('commit', () =>
    runs.commit(batch('me', { starts: [start('e')], entries: [entry('e', 1)], settlements: [complete('e')] })),
  );
  await time('deliver to one', () =>
    instances.deliver({ eventId: '1', source: '/', channel: 'paid', data: '1', targetInstanceId: 'a' }),
  );
  await time('deliver to all', () =>
    instances.deliver({ eventId: '2', source: '/', channel: 'paid', data: '1', targetInstanceId: null }),
  );
  await time('cancel', () => instances.requestCancel({ instanceId: 'd', reason: 'x' }));
  await time('claim', () => runs.claim({ ...claimAll('me'), workflowNames: ['order', 'workflow-1', 'none'] }));
  await time('claim after a lost answer', () => runs.claim({ ...claimAll('me'), holding: [] }));
  const [signals] = await time('read signals', () =>
    runs.readSignals({ workerId: 'me', instanceIds: ['a', 'd'], mailLimit: 10 }),
  );
  await instances.deliver({ eventId: '3', source: '/', channel: 'paid', data: '1', targetInstanceId: 'a' });
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
  await time('mail', () => runs.mail({ instanceId: 'a', channel: 'paid', afterMailId: null, limit: 10 }));
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
  const transaction = await storage.transactions.begin({ signal: noSignal });
  (transaction.handle as SqliteTransaction<never>).database.exec('CREATE TABLE mine (x)');
  await transaction.rollback();
  await time('retire', () => leases.retire({ workerId: 'me' }));
  return durations;
}
