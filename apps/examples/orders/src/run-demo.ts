// The demo from its start to its end: orders in, workflows through, a table and checks out.
import { readFile } from 'node:fs/promises';
import { checkRun, gatherEvidence } from './checks.js';
import { chooseDatabase } from './chosen-database.js';
import { DemoError, type DemoOptions } from './command-line.js';
import { compareResumptions } from './compare-resumptions.js';
import { createDailyReport, dailyReportId } from './daily-report.js';
import type { Check } from './evidence.js';
import { fillOrders } from './fill-orders.js';
import type { Order } from './order.js';
import { readOrders } from './orders-file.js';
import type { Output } from './progress-bar.js';
import { renderChecks, renderComparison, renderDays, renderTable } from './report.js';
import { openShop } from './shop.js';
import { shownPath } from './shown-path.js';

/** Short enough that some days pass while the orders are filled. */
const dayLength = 1_000;

/**
 * Resolves with whether all checks hold.
 * @param signal stops in good order; then this rejects with the signal's reason.
 * @throws DemoError
 */
export async function runDemo(options: DemoOptions, out: Output, signal: AbortSignal): Promise<boolean> {
  const began = performance.now();
  const say = (line: string): void => void out.write(`${line}\n`);
  const orders = await loadOrders(options.input, say);
  const { choice, folder, description, close } = await chooseDatabase(options);
  try {
    signal.throwIfAborted();
    const logFile = folder.file('log.txt');
    say(`${orders.length} orders from ${shownPath(options.input)}`);
    say(`database: ${description}`);
    const paymentsFile = folder.file('payments.db');
    const parcelsFile = folder.file('parcels.db');
    const shop = await openShop({ database: choice, paymentsFile, parcelsFile, seed: options.seed, logFile }, signal);
    let checks: readonly Check[];
    try {
      say(`payment service: ${shop.paymentsUrl}, parcel service: ${shop.parcelsUrl}, fail now and then (seed ${options.seed})\n`);
      // Goes on for ever; one that an earlier start has begun is the one.
      await shop.romancy.startWorkflow(
        createDailyReport(shop.activities),
        { day: 1, dayLength },
        { instanceId: dailyReportId, onConflict: 'existing' },
      );
      const { kill } = options;
      const outcomes = await fillOrders({ orders, shop, kill, ordersAtATime: 50, concurrency: 20, out, signal });
      const evidence = await gatherEvidence(shop, outcomes);
      checks = checkRun(evidence);
      const tables = [renderTable(outcomes), renderDays(evidence.days?.reports ?? []), renderChecks(checks)];
      say(`\n${tables.join('\n\n')}\n`);
    } finally {
      await shop.close();
    }

    if (options.measure > 0 && choice.kind === 'postgres') {
      say(`How soon does an order go on after its settlement? ${options.measure} more orders show it, some ten seconds long:`);
      const comparison = await compareResumptions({ url: choice.url, folder, count: options.measure, say, signal });
      checks = [...checks, ...comparison.checks];
      say(`${renderComparison(comparison)}\n`);
    }
    const isWell = checks.every(({ objections }) => objections.length === 0);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(isWell ? `All is well, after ${seconds} s.` : `This should not be; ${logFile} may say why.`);
    return isWell;
  } finally {
    await close();
  }
}

async function loadOrders(file: string, say: (line: string) => void): Promise<readonly Order[]> {
  const name = shownPath(file);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = { ENOENT: 'there is no such file', EISDIR: 'it is a folder', EACCES: 'it belongs to somebody else' }[
      error.code ?? ''
    ];
    throw new DemoError(`${name} cannot be read: ${why ?? error.message}.`);
  });
  const { orders, badLines } = readOrders(text);
  for (const { number, problem } of badLines) say(`${name}, line ${number} is left out: ${problem}`);
  if (orders.length === 0) throw new DemoError(`There is no order in ${name}.`);
  return orders;
}
