// Measures how soon orders go on after their settlement, with notes between the processes and by polling alone.
import { rm } from 'node:fs/promises';
import { catalogue } from './catalogue.js';
import { checkRun, gatherEvidence } from './checks.js';
import { dropMeasured, emptyDatabase } from './chosen-database.js';
import type { DataFolder } from './data-folder.js';
import type { Check } from './evidence.js';
import { fillOrders } from './fill-orders.js';
import type { Order } from './order.js';
import { openShop } from './shop.js';
import { Stopwatch, type Latencies } from './stopwatch.js';

export interface ComparisonOptions {
  /** The server; nothing of the orders that were filled there is touched. */
  readonly url: string;
  readonly folder: DataFolder;
  /** So many orders are measured each time. */
  readonly count: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Comparison {
  readonly withNotes: Latencies;
  readonly byPolling: Latencies;
  /** What must be true of these orders, too; of both times. */
  readonly checks: readonly Check[];
}

/** So many orders go ahead of those that count. */
export const warmUp = 40;

/** Enough of each for as many orders as can be asked for. */
const plentiful = catalogue.filter(({ pieces }) => pieces >= 120);

/** The same workflow, webhook and workers as for all orders, in a schema of their own that is empty at the start and gone at the end. */
export async function compareResumptions(options: ComparisonOptions): Promise<Comparison> {
  try {
    options.say('  with @romancy/notify-pg …');
    const notes = await measure(options, true);
    options.say('  by polling …\n');
    const polling = await measure(options, false);
    return { withNotes: notes.latencies, byPolling: polling.latencies, checks: [...notes.checks, ...polling.checks] };
  } finally {
    await dropMeasured(options.url);
  }
}

async function measure({ url, folder, count, signal }: ComparisonOptions, notify: boolean) {
  const paymentsFile = folder.file('payments-measured.db');
  const parcelsFile = folder.file('parcels-measured.db');
  await forget(paymentsFile);
  await forget(parcelsFile);
  const stopwatch = new Stopwatch(warmUp);
  const shop = await openShop(
    {
      database: await emptyDatabase(url, { notify }),
      paymentsFile,
      parcelsFile,
      // Nothing goes wrong: a settlement that is there before its order waits for it would be no time from one to the other.
      seed: null,
      logFile: folder.file('log.txt'),
      onSettlement: (instanceId) => stopwatch.begin(instanceId),
    },
    signal,
  );
  const all = count + warmUp;
  try {
    const outcomes = await fillOrders({
      orders: Array.from({ length: all }, (_, index) => measuredOrder(index)),
      shop,
      kill: false,
      // All at once, and room for all in each worker: none waits for anything but its settlement.
      ordersAtATime: all,
      concurrency: all,
      onResumption: (resumption) => stopwatch.end(resumption),
      out: { write: () => true },
      signal,
    });
    return { latencies: stopwatch.latencies(), checks: checkRun(await gatherEvidence(shop, outcomes)) };
  } finally {
    await shop.close();
    await forget(paymentsFile);
    await forget(parcelsFile);
  }
}

async function forget(database: string): Promise<void> {
  for (const ending of ['', '-wal', '-shm']) await rm(`${database}${ending}`, { force: true });
}

/** One that will be shipped. */
function measuredOrder(index: number): Order {
  const { sku } = plentiful[index % plentiful.length]!;
  return { id: `measured-${index + 1}`, customer: 'Ada Lovelace', sku, quantity: 1, card: 'visa-4242' };
}
