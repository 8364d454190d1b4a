// Writes down how a run ended: a table of the final states, one of the days, and the checks.
import { warmUp, type Comparison } from './compare-resumptions.js';
import type { Check, Outcome } from './evidence.js';
import type { DayReport } from './stock.js';
import type { Latencies } from './stopwatch.js';

const columns = [12, 8, 8, 14] as const;

export function renderTable(outcomes: readonly Outcome[]): string {
  const states = ['shipped', 'rejected', 'declined', 'refunded', 'failed'].filter(
    (state) => state !== 'failed' || outcomes.some(({ result }) => result.state === 'failed'),
  );
  return [
    row('final state', 'orders', 'pieces', 'amount'),
    ...states.map((state) =>
      summary(
        state,
        outcomes.filter(({ result }) => result.state === state),
      ),
    ),
    `  ${'─'.repeat(columns.reduce((sum, width) => sum + width, 0))}`,
    summary('all', outcomes),
  ].join('\n');
}

/** A line for each day; those on which nothing was shipped are left out. */
export function renderDays(reports: readonly DayReport[]): string {
  return [
    row('day', 'shipped', 'pieces', 'amount'),
    ...reports.flatMap(({ day, orders, pieces, amount }) =>
      orders === 0 ? [] : [row(String(day), String(orders), String(pieces), money(amount))],
    ),
  ].join('\n');
}

export function renderChecks(checks: readonly Check[]): string {
  return checks
    .flatMap(({ claim, objections }) =>
      objections.length === 0
        ? [`  ✓ ${claim}`]
        : [
            `  ✗ ${claim}? No:`,
            ...objections.slice(0, 5).map((objection) => `      ${objection}`),
            ...rest(objections.length - 5),
          ],
    )
    .join('\n');
}

/** Two lines of percentiles, what they are, and the checks of these orders. */
export function renderComparison({ withNotes, byPolling, checks }: Comparison): string {
  const line = (name: string, ...cells: readonly string[]): string =>
    `  ${name.padEnd(32)}${cells.map((cell) => cell.padStart(12)).join('')}`;
  const times = (name: string, { count, p50, p99 }: Latencies): string =>
    line(name, String(count), milliseconds(p50), milliseconds(p99));
  const objections = checks.flatMap((check) => (check.objections.length === 0 ? [] : [check]));
  return [
    line('settlement to next step', 'orders', 'p50', 'p99'),
    times('with @romancy/notify-pg', withNotes),
    times('by polling, once a second', byPolling),
    '',
    '  From the call of sendEvent in one process, its commit included, to the start of the next activity in a worker. All orders',
    `  were started at once, and new ones were being charged meanwhile; the ${warmUp} that were settled first are not counted.`,
    ...(withNotes.unheard > 0
      ? [`  With notes, but the notifier was not healthy for ${withNotes.unheard} of them: those were found by polling.`]
      : []),
    '',
    objections.length === 0
      ? '  ✓ the same holds for these orders: final states, stock, charges, events'
      : renderChecks(objections),
  ].join('\n');
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function rest(count: number): readonly string[] {
  return count > 0 ? [`      and ${count} more`] : [];
}

function summary(name: string, outcomes: readonly Outcome[]): string {
  const pieces = outcomes.reduce((sum, { order }) => sum + order.quantity, 0);
  const amount = outcomes.reduce((sum, { result }) => (result.state === 'shipped' ? sum + result.amount : sum), 0);
  return row(name, String(outcomes.length), String(pieces), amount === 0 ? '' : money(amount));
}

function money(cents: number): string {
  return (cents / 100).toLocaleString('en', { minimumFractionDigits: 2 });
}

function row(name: string, ...cells: readonly string[]): string {
  return `  ${name.padEnd(columns[0])}${cells.map((cell, index) => cell.padStart(columns[index + 1] ?? 0)).join('')}`.trimEnd();
}
