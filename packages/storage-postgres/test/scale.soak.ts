// What has piled up costs next to nothing: a million that wait, a million that ended, ten thousand that are due at once.
import type { Storage } from '@romancy/core/ports';
import { createDatabase } from '@romancy/test-support';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { openStorage, registered } from './open-storage.js';
import { claimRequest } from './worker-calls.js';
import { workingDay } from './working-day.js';

const million = 1_000_000;
const rounds = 20;
/** A tenth, and a tenth for the machine: what is compared runs in turns, but not at the same moment. */
const mostDearer = 1.2;

interface Place {
  readonly storage: Storage;
  /** Removes what is left of changed and deleted rows. */
  readonly vacuum: () => Promise<void>;
  readonly fill: (statements: readonly string[], count: number) => Promise<void>;
}

/** A storage that one call after the other goes to, and so by one session, so that nothing but the rows makes a difference; `fill` runs statements in its schema, `$1` is the count. */
async function place(schema: string): Promise<Place> {
  const { url } = await createDatabase();
  const storage = await openStorage({ connectionString: url, schema, maxConnections: 3 });
  const outside = async (statements: readonly string[], values?: readonly unknown[]): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(`SET search_path TO ${schema}`);
      for (const statement of statements) await client.query(statement, statement.includes('$1') ? [...(values ?? [])] : []);
    } finally {
      await client.end();
    }
  };
  const tables = ['instances', 'history', 'mailbox', 'subscriptions'];
  await outside(tables.map((table) => `ALTER TABLE ${table} SET (autovacuum_enabled = false)`));
  const vacuum = (): Promise<void> => outside(['VACUUM ANALYZE', 'CHECKPOINT']);
  const fill = async (statements: readonly string[], count: number): Promise<void> => {
    await outside(statements, [count]);
    await vacuum();
  };
  return { storage, vacuum, fill };
}

const history = (prefix: string, kind: string): string =>
  `INSERT INTO history (instance_id, seq, kind, call_id, position, data, recorded_at)
   SELECT '${prefix}-' || n, 1, '${kind}', 'step:1', 0, '1', now() FROM generate_series(1, $1::int) n`;

/** Half of them for a time, half for an event, each for its own order. */
const waiting = [
  `INSERT INTO instances (instance_id, workflow_name, status, wake_at, start_token, input, created_at, claims, version)
   SELECT 'waits-' || n, 'order', CASE n % 2 WHEN 0 THEN 'waiting_for_timer' ELSE 'waiting_for_event' END,
     CASE n % 2 WHEN 0 THEN now() + (3600 + n) * interval '1 second' END, '', '{"n":1}', now() - n * interval '1 second', 1, 2
   FROM generate_series(1, $1::int) n`,
  history('waits', 'wait_set'),
  `INSERT INTO subscriptions (topic, path, value, instance_id, seq)
   SELECT 'event:paid', '["order"]', '"waits-' || n || '"', 'waits-' || n, 1 FROM generate_series(1, $1::int, 2) n`,
];

const finished = [
  `INSERT INTO instances (instance_id, workflow_name, status, start_token, input, output, created_at, finished_at, claims, version)
   SELECT 'done-' || n, 'order', 'completed', '', '{"n":1}', '1', now() - n * interval '1 second', now() - n * interval '1 second', 1, 2
   FROM generate_series(1, $1::int) n`,
  history('done', 'activity_completed'),
];

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

async function msOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe('the same work costs the same beside', () => {
  it.for([
    ['a million that wait', waiting],
    ['a million that ended', finished],
  ] as const)('%s', async ([, statements]) => {
    const [empty, full] = [await place('empty'), await place('full')];
    await full.fill(statements, million);
    const days = [await workingDay(empty.storage), await workingDay(full.storage)] as const;
    const ratios: Record<string, number> = {};
    for (const name of Object.keys(days[0])) {
      const times = name.startsWith('fifty') ? 10 : 40;
      // What vacuum has not been at is the same on both sides, whenever the server sends it.
      await empty.vacuum();
      await full.vacuum();
      const [onEmpty, onFull] = days.map((day) => () => msOf(() => day[name]!(times))) as [
        () => Promise<number>,
        () => Promise<number>,
      ];
      await onEmpty();
      await onFull();
      // The least of each side: what else the machine does only adds.
      const least = [Infinity, Infinity] as [number, number];
      for (let round = 0; round < rounds; round++) {
        const turns = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
        for (const side of turns) least[side] = Math.min(least[side], await (side === 0 ? onEmpty() : onFull()));
      }
      ratios[name] = Math.round((100 * least[1]) / least[0]) / 100;
    }
    console.log(ratios);
    for (const [name, ratio] of Object.entries(ratios)) expect(ratio, name).toBeLessThanOrEqual(mostDearer);
  });
});

it('the last of ten thousand that are due at once are claimed as fast as the first', async () => {
  const { storage, fill } = await place('due');
  const worker = await registered(storage, 'worker');
  await fill(
    [
      `INSERT INTO instances (instance_id, workflow_name, status, wake_at, start_token, input, created_at, claims, version)
       SELECT 'due-' || n, 'order', 'waiting_for_timer', now() - interval '1 second', '', '{"n":1}', now(), 1, 2
       FROM generate_series(1, $1::int) n`,
      history('due', 'timer_set'),
    ],
    10_000,
  );
  const took: number[] = [];
  let claimed = 0;
  for (let claim = 0; claim < 100; claim++) {
    took.push(
      await msOf(async () => {
        claimed += (await storage.runs.claim(claimRequest(worker))).claimed.length;
      }),
    );
  }
  expect(claimed).toBe(10_000);
  // The first few make plans.
  const [early, late] = [median(took.slice(5, 30)), median(took.slice(-25))];
  console.log({ early, late });
  expect(late / early).toBeLessThanOrEqual(1.5);
});
