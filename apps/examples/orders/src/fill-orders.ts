// Starts a workflow per order, lets workers run them, kills one of these in the middle, and waits until all is done.
import { isDeepStrictEqual } from 'node:util';
import { WorkflowCancelledError, WorkflowFailedError, type Romancy, type WorkflowHandle } from '@romancy/core';
import type { Outcome } from './evidence.js';
import { findInstances } from './find-instances.js';
import { instanceIdOf, type Order, type OrderResult } from './order.js';
import { ProgressBar, type Output } from './progress-bar.js';
import { CardDeclined, ParcelRefused, PaymentRefused } from './refusals.js';
import type { Shop } from './shop.js';
import { Turnstile } from './turnstile.js';
import { UnfinishedBusiness } from './unfinished-business.js';
import { createOrderWorkflow } from './workflow.js';
import { WorkerPool } from './worker-pool.js';
import type { Resumption } from './worker.js';

export interface Job {
  readonly orders: readonly Order[];
  readonly shop: Shop;
  /** Whether a worker is killed when a third of the orders that are open now have come to their end. */
  readonly kill: boolean;
  /** As in a shop with so many customers at the counter: who comes later does not keep the earlier ones waiting. */
  readonly ordersAtATime: number;
  /** How many orders a worker has in memory at a time. */
  readonly concurrency: number;
  /** Told of each order that goes on after its settlement. */
  readonly onResumption?: (resumption: Resumption) => void;
  readonly out: Output;
  readonly signal: AbortSignal;
}

/**
 * Resolves when all orders have come to their end, and what follows from them is done. Rejects with the reason of the signal when that comes
 * first.
 */
export async function fillOrders({
  orders,
  shop,
  kill,
  ordersAtATime,
  concurrency,
  onResumption,
  out,
  signal,
}: Job): Promise<readonly Outcome[]> {
  const { romancy, database, paymentsUrl, parcelsUrl, logFile } = shop;
  const bar = new ProgressBar(out, orders.length);
  const say = (line: string): void => bar.say(line);
  const workflow = createOrderWorkflow(shop.activities);

  const known = await findInstances(romancy, workflow.name);
  const hadEnded = (order: Order): boolean => (known.get(instanceIdOf(order))?.finishedAt ?? null) !== null;
  const open = orders.filter((order) => !hadEnded(order)).length;
  if (open === 0) say('All of them came to their end in an earlier start; --fresh begins anew.');
  else if (known.size > 0) say(`Going on: ${orders.length - open} came to their end in an earlier start.`);

  const counter = new Turnstile(ordersAtATime);
  const business = new UnfinishedBusiness(shop);
  const settings = { database, paymentsUrl, parcelsUrl, concurrency, tellResumptions: onResumption !== undefined };
  const pool = new WorkerPool({ settings, logFile, onResumption, say });
  let killed: Promise<void> | undefined;
  let killAt = kill && open > 0 ? orders.length - open + Math.ceil(open / 3) : Infinity;
  const fill = async (order: Order): Promise<Outcome> => {
    signal.throwIfAborted();
    const instanceId = instanceIdOf(order);
    // An order that was started before is not started again: this gives the handle of the one that is there.
    const handle = await romancy.startWorkflow(workflow, order, { instanceId, onConflict: 'existing' });
    const result = await resultOf(handle);
    if (hadEnded(order)) bar.count(result.state);
    else bar.tick(result.state);
    if (bar.done >= killAt) {
      killAt = Infinity;
      killed = killWorker({ pool, romancy, say });
    }
    const started = known.get(instanceId)?.input as Order | undefined;
    if (started === undefined || isDeepStrictEqual(started, order)) return { order, result };
    say(`order ${order.id} was something else in an earlier start, and that counts`);
    return { order: started, result };
  };

  try {
    // SQLite is for the processes of one machine, which gain nothing from each other here; PostgreSQL is for several.
    if (open > 0 || !(await business.isDone())) pool.start(database.kind === 'sqlite' ? 1 : 2);
    const all = Promise.all(orders.map((order) => counter.pass(() => fill(order)))).then(async (ends) => {
      await business.done(signal);
      return ends;
    });
    const outcomes = await Promise.race([all, pool.failed, shop.failed, rejectWhenAborted(signal)]);
    await killed;
    return outcomes;
  } finally {
    bar.end();
    if (signal.aborted) {
      say(`Stopping: ${bar.done} of ${orders.length} orders have come to their end. The same command goes on from here.`);
    }
    await pool.stop();
  }
}

/** How the workflow ended; a failure is an end, too, and by then all that had to be undone has been. */
async function resultOf(handle: WorkflowHandle<OrderResult>): Promise<Outcome['result']> {
  try {
    return await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError || error instanceof WorkflowCancelledError)) throw error;
    const { cause } = error;
    if (cause instanceof ParcelRefused) return { state: 'refunded', reason: cause.message };
    if (cause instanceof CardDeclined || cause instanceof PaymentRefused) return { state: 'declined', reason: cause.message };
    return { state: 'failed', reason: error.message };
  }
}

/** Never rejects: should the demo be stopped at this very moment, there is nobody left to be killed, or nobody left to ask. */
async function killWorker({
  pool,
  romancy,
  say,
}: {
  pool: WorkerPool;
  romancy: Romancy;
  say: (line: string) => void;
}): Promise<void> {
  try {
    const killed = await pool.killOne();
    if (killed === undefined) return;
    const { instances } = await romancy.list({ status: ['running', 'compensating'], workflowName: 'order', limit: 1000 });
    const left = instances.filter(({ workerId }) => workerId === killed.workerId).length;
    say(`worker ${killed.number} was killed (SIGKILL) with ${left} orders in its hands`);
  } catch {
    // Nothing to say, then.
  }
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
