// Whether it becomes slow when very many instances wait: throughput, latency, memory and start beside an empty table.
import { Romancy, silentLogger } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { alternate } from '../alternate.js';
import { comparedRow, type Effort, type ResultRow, type Target } from '../measurement.js';
import { until } from '../pause.js';
import type { PlaceServer } from '../places/place.js';
import { startProcess, type BenchProcess } from '../processes/start-process.js';
import type { OrderWorkerSays } from '../processes/order-worker.js';
import { quantilePair, type Pair } from '../statistics.js';
import { warmUp } from '../warm-up.js';
import { waitsForEvent, waitsForTime } from '../wakeups/backlog-workflows.js';
import { connected } from '../wakeups/connected.js';
import { copyInstances, settleTables } from '../wakeups/copied-instances.js';
import { closedLoop, makeInput, orderWorkflow, stepNames } from '../workload.js';
import { onServer } from './on-server.js';

const workflows = [orderWorkflow, waitsForEvent, waitsForTime];
const concurrency = 100;

const atLeast = (value: number): Target => ({ of: 'ratio', bound: 'at least', value });
const atMost = (value: number): Target => ({ of: 'ratio', bound: 'at most', value });

export const backlog = onServer('backlog', async (server, effort) => {
  const { url, emptySchema } = server;
  const sizes = effort.quick ? [1000, 10_000] : [10_000, 100_000, 1_000_000];
  const schemas = { full: await emptySchema('backlog_full'), empty: await emptySchema('backlog_empty') };
  const app = async (schema: string): Promise<Romancy> => {
    const romancy = new Romancy({
      storage: createPostgresStorage({ connectionString: url, schema }),
      workflows,
      logger: silentLogger,
    });
    await romancy.start();
    return romancy;
  };
  const full = await app(schemas.full);
  let empty: Romancy | undefined;
  try {
    empty = await app(schemas.empty);
    const models = await Promise.all([waitsForEvent, waitsForTime].map(async (workflow) => await full.startWorkflow(workflow)));
    await until('instances that wait', () => full.status().running === 0);
    const rows: ResultRow[] = [];
    let made = 0;
    for (const size of sizes) {
      await connected(url, async (client) => {
        const half = { schema: schemas.full, from: made / 2 + 1, to: size / 2 };
        for (const { instanceId } of models) await copyInstances(client, { ...half, instanceId, name: instanceId });
        for (const schema of Object.values(schemas)) await settleTables(client, schema);
      });
      made = size;
      rows.push(...(await measure({ full, empty }, size, effort)));
    }
    return [...rows, ...(await measureStart(server, schemas, { size: made, rounds: effort.rounds }))];
  } finally {
    await Promise.all([full.stop(), empty?.stop()]);
  }
});

/** In each pair, the side with the backlog stands as Romancy's, and the empty one as raw. */
async function measure(
  { full, empty }: { readonly full: Romancy; readonly empty: Romancy },
  size: number,
  { rounds, roundMs, quick }: Effort,
): Promise<readonly ResultRow[]> {
  const one = async (app: Romancy): Promise<void> => {
    const run = await app.startWorkflow(orderWorkflow, makeInput());
    await run.result();
  };
  const speed = (app: Romancy, count: number) => async (): Promise<number> =>
    (count * stepNames.length * 1000) / (await closedLoop({ count, concurrency }, () => one(app)));
  for (const app of [full, empty]) await warmUp(() => one(app), { concurrency, mostMs: 5 * roundMs });
  const sides = (count: number) => ({ romancy: speed(full, count), raw: speed(empty, count) });
  const [first] = await alternate(1, sides(2 * concurrency));
  const count = Math.max(2 * concurrency, Math.round((Math.min(first!.romancy, first!.raw) * roundMs) / 1000 / stepNames.length));
  const duration = (app: Romancy) => async (): Promise<number> => {
    const began = performance.now();
    await one(app);
    return performance.now() - began;
  };
  const speeds = await alternate(rounds, sides(count));
  const typical: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    typical.push(quantilePair(await alternate(quick ? 30 : 150, { romancy: duration(full), raw: duration(empty) }), 0.5));
  }
  const beside = `while ${size.toLocaleString('en')} wait, beside an empty table`;
  return [
    comparedRow(
      {
        ...{ what: `throughput, ${concurrency} at once, ${beside}`, unit: 'steps/s' },
        ...{ target: atLeast(0.9), plot: { chart: 'backlog-throughput', x: size } },
      },
      speeds,
    ),
    comparedRow(
      {
        ...{ what: `start to result, alone, ${beside}`, unit: 'ms' },
        ...{ target: atMost(1.1), plot: { chart: 'backlog-latency', x: size } },
      },
      typical,
    ),
  ];
}

/** A process of its own joins, and says how long that took; it runs orders, and says how large it is then. */
async function measureStart(
  { url }: PlaceServer,
  schemas: { readonly full: string; readonly empty: string },
  { size, rounds }: { readonly size: number; readonly rounds: number },
): Promise<readonly ResultRow[]> {
  const joinAndWork = async (
    schema: string,
  ): Promise<{ readonly joinMs: number; readonly joinedMb: number; readonly rssMb: number }> => {
    const worker: BenchProcess<OrderWorkerSays> = startProcess('order-worker', [url, schema]);
    try {
      await worker.hear((said) => 'up' in said);
      worker.tell({ turn: 1, act: 'join' });
      const joined = await worker.hear((said) => 'joined' in said);
      worker.tell({ turn: 1, act: 'work' });
      const worked = await worker.hear((said) => 'worked' in said);
      if (!('joined' in joined && 'worked' in worked)) throw new Error('a worker said something else than it was asked');
      return { joinMs: joined.joinMs, joinedMb: joined.rssMb, rssMb: worked.rssMb };
    } finally {
      await worker.kill();
    }
  };
  const joins = await alternate(rounds, { romancy: () => joinAndWork(schemas.full), raw: () => joinAndWork(schemas.empty) });
  const beside = `while ${size.toLocaleString('en')} wait, beside an empty table`;
  const pairs = (pick: (joined: Awaited<ReturnType<typeof joinAndWork>>) => number): readonly Pair[] =>
    joins.map(({ romancy, raw }) => ({ romancy: pick(romancy), raw: pick(raw) }));
  return [
    comparedRow(
      { what: `start of a worker, ${beside}`, unit: 'ms' },
      pairs(({ joinMs }) => joinMs),
    ),
    comparedRow(
      { what: `its memory (RSS) then, ${beside}`, unit: 'MB' },
      pairs(({ joinedMb }) => joinedMb),
    ),
    comparedRow(
      { what: `its memory (RSS) after 5,000 orders, ${beside}`, unit: 'MB', target: atMost(1.1) },
      pairs(({ rssMb }) => rssMb),
    ),
  ];
}
