// Writes down how a run ended: a table of the final states, and the checks.
import type { Check, Outcome } from './checks.js';

const columns = [12, 8, 8, 14] as const;

export function renderTable(outcomes: readonly Outcome[]): string {
  const states = ['shipped', 'rejected', 'declined', 'failed'].filter(
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
