// Results as aligned text.
import { isReached, type ResultRow, type Target } from './measurement.js';

const heads = ['what', 'storage', 'unit', 'romancy', 'raw', 'ratio', 'spread', 'target', 'reached?'] as const;
/** These are read from the right. */
const numbers: ReadonlySet<string> = new Set(['romancy', 'raw', 'ratio', 'spread']);

/** One line for the heads, one rule, one line per row. */
export function formatTable(rows: readonly (ResultRow & { readonly storage: string })[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.storage,
    row.unit,
    formatNumber(row.romancy),
    row.raw === null ? '-' : formatNumber(row.raw),
    row.ratio === null ? '-' : formatNumber(row.ratio),
    row.spread.map(formatNumber).join(' to '),
    row.target === null ? '-' : formatTarget(row.target),
    { true: 'yes', false: 'NO', null: '' }[String(isReached(row)) as 'true' | 'false' | 'null'],
  ]);
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((line) => line[column]!.length)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) => (numbers.has(heads[column]!) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [format(heads), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(format)].join('\n');
}

/** Three digits that count. */
export function formatNumber(value: number): string {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(3, digits));
}

function formatTarget({ of, bound, value }: Target): string {
  return `${of === 'romancy' ? '' : `${of} `}${bound} ${value}`;
}
