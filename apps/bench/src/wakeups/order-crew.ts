// Worker processes that join one database and leave it again, turn by turn, while orders are started from outside of them.
import { startProcess, type BenchProcess } from '../processes/start-process.js';
import type { OrderWorkerOrder, OrderWorkerSays } from '../processes/order-worker.js';
import { notifiedApp } from './notified-app.js';
import { until } from '../pause.js';
import { closedLoop, makeInput, orderWorkflow, stepNames } from '../workload.js';
import type { Romancy } from '@romancy/core';

type Worker = BenchProcess<OrderWorkerSays>;

/** What one turn came to. */
export interface CrewTurn {
  /** From the first start to the last completion. */
  readonly stepsPerSecond: number;
  /** What the least busy process did, of an even share. */
  readonly leastShare: number;
  readonly claimsPerJob: number;
}

export class OrderCrew {
  readonly #workers: readonly Worker[];
  readonly #outside: Romancy;
  #turn = 0;

  constructor(workers: readonly Worker[], outside: Romancy) {
    this.#workers = workers;
    this.#outside = outside;
  }

  /** @param size how many processes there are; how many of them join is said at each turn. */
  static async gather({
    url,
    schema,
    size,
  }: {
    readonly url: string;
    readonly schema: string;
    readonly size: number;
  }): Promise<OrderCrew> {
    const outside = await notifiedApp({ url, schema, workflows: [] });
    const workers: Worker[] = [];
    const crew = new OrderCrew(workers, outside);
    try {
      for (let count = 0; count < size; count++) workers.push(startProcess('order-worker', [url, schema]));
      await Promise.all(workers.map((worker) => worker.hear((said) => 'up' in said)));
      return crew;
    } catch (error) {
      await crew.close();
      throw error;
    }
  }

  /** So many processes join, run so many orders, and leave. */
  async run(processes: number, orders: number): Promise<CrewTurn> {
    const turn = ++this.#turn;
    const crew = this.#workers.slice(0, processes);
    const completed = crew.map(() => 0);
    const stops = crew.map((worker, index) =>
      worker.listen((said) => {
        if ('completed' in said && said.turn === turn) completed[index] = said.completed;
      }),
    );
    const tell = (act: OrderWorkerOrder['act']): void =>
      crew.forEach((worker) => worker.tell({ turn, act } satisfies OrderWorkerOrder));
    tell('join');
    await Promise.all(crew.map((worker) => worker.hear((said) => 'joined' in said && said.turn === turn)));
    const began = performance.now();
    await closedLoop({ count: orders, concurrency: 100 }, async () => {
      await this.#outside.startWorkflow(orderWorkflow, makeInput());
    });
    const total = (): number => completed.reduce((sum, each) => sum + each, 0);
    await until('all orders completed', () => total() >= orders, 120_000);
    const ms = performance.now() - began;
    tell('leave');
    const left = await Promise.all(crew.map((worker) => worker.hear((said) => 'left' in said && said.turn === turn)));
    for (const stop of stops) stop();
    const claims = left.reduce((sum, said) => sum + ('claims' in said ? said.claims : 0), 0);
    return {
      stepsPerSecond: (orders * stepNames.length * 1000) / ms,
      leastShare: (Math.min(...completed) * processes) / orders,
      claimsPerJob: claims / orders,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill()));
    await this.#outside.stop();
  }
}
