// What more processes on one database bring: throughput, who gets how much, and how often they claim for it.
import { comparedRow, ownRow, type ResultRow } from '../measurement.js';
import { OrderCrew, type CrewTurn } from '../wakeups/order-crew.js';
import { onServer } from './on-server.js';

export const workers = onServer('workers', async ({ url, emptySchema }, { rounds, quick }) => {
  const sizes = quick ? [1, 2] : [1, 2, 4, 8];
  const orders = quick ? 200 : 3000;
  const most = Math.max(...sizes);
  const crew = await OrderCrew.gather({ url, schema: await emptySchema('workers'), size: most });
  try {
    await crew.run(most, Math.round(orders / 3));
    const perRound: ReadonlyMap<number, CrewTurn>[] = [];
    for (let round = 0; round < rounds; round++) {
      const turns = new Map<number, CrewTurn>();
      for (const size of round % 2 === 0 ? sizes : [...sizes].reverse()) turns.set(size, await crew.run(size, orders));
      perRound.push(turns);
    }
    const of = (size: number, pick: (turn: CrewTurn) => number): readonly number[] =>
      perRound.map((turns) => pick(turns.get(size)!));
    const speed = (size: number): readonly number[] => of(size, ({ stepsPerSecond }) => stepsPerSecond);
    const alone = speed(1);
    const target = { of: 'ratio', bound: 'at least', value: 1 } as const;
    const row = (x: number): ResultRow => {
      const head = { unit: 'steps/s', plot: { chart: 'workers', x } as const };
      if (x === 1) return ownRow({ what: 'throughput, 1 worker process, started from outside', ...head }, alone);
      const pairs = speed(x).map((romancy, round) => ({ romancy, raw: alone[round]! }));
      return comparedRow({ what: `throughput, ${x} worker processes beside 1`, target, ...head }, pairs);
    };
    return [
      ...sizes.map(row),
      ownRow(
        { what: `least busy of ${most} worker processes, of an even share`, unit: 'part' },
        of(most, ({ leastShare }) => leastShare),
      ),
      ...[1, most].map((size) =>
        ownRow(
          { what: `claims per job, ${size} worker process${size === 1 ? '' : 'es'}`, unit: 'claims' },
          of(size, ({ claimsPerJob }) => claimsPerJob),
        ),
      ),
    ];
  } finally {
    await crew.close();
  }
});
