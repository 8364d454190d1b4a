// The table of costs as it stands in ARCHITECTURE.md: written, read back, and compared with what is measured.
import type { Cost } from './measure-costs.js';

export interface CostSide {
  readonly title: string;
  readonly costs: readonly Cost[];
}

const beginning = '<!-- cost: written by `pnpm cost`, from here -->';
const end = '<!-- cost: to here -->';

/** Bytes of the log may differ from what is written down by this part: ids are random, and fall on this page or on that. */
const byteTolerance = 0.15;
/** What a minute costs is told by several; where one of them ends, a poll may fall on this side or on that. */
const rateTolerance = 0.1;
/**
 * And by so many bytes in any case. SQLite writes whole pages: whether two entries of an index fall on one page or on two, and whether one
 * of them is full and has to be split, hangs on ids that are random and on how long their index is by then; of what is written to several
 * indexes, that shifts also the median.
 */
const leastByteTolerance = { withServer: 150, withoutServer: 3 * 4120 };

/** Lines of a table in Markdown. A side that has no such row shows a dash. */
export function formatCosts(sides: readonly CostSide[]): string {
  const heads = ['', ...sides.flatMap(({ title, costs }) => columnsOf(costs).map((column) => `${title}: ${column.name}`))];
  const names = [...new Set(sides.flatMap(({ costs }) => costs.map(({ what }) => what)))];
  const rows = names.map((what) => [
    what,
    ...sides.flatMap(({ costs }) => {
      const cost = costs.find((each) => each.what === what);
      return columnsOf(costs).map(({ of }) => (cost === undefined ? '–' : formatCount(of(cost))));
    }),
  ]);
  const rule = heads.map((_, index) => (index === 0 ? '---' : '---:'));
  return [heads, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The text with the table in place of the one that stands between the marks. @throws Error when a mark is not there. */
export function replaceTable(text: string, table: string): string {
  const [from, to] = placeOf(text);
  return `${text.slice(0, from)}\n${table}\n${text.slice(to)}`;
}

/** The table that stands between the marks. @throws Error when a mark is not there. */
export function tableIn(text: string): string {
  return text.slice(...placeOf(text)).trim();
}

/** Each number of the written table that is not what was measured, in words. Counts must be the same, bytes nearly. */
export function differences(written: string, sides: readonly CostSide[]): readonly string[] {
  const [was, is] = [cellsOf(written), cellsOf(formatCosts(sides))];
  const tolerances = sides.flatMap(({ costs }) => {
    const least = costs[0]?.roundTrips === null ? leastByteTolerance.withoutServer : leastByteTolerance.withServer;
    return columnsOf(costs).map(({ isBytes }) => (isBytes ? least : null));
  });
  const found: string[] = [];
  const [columnsBefore, columns] = [was[0], is[0]].map((heads) => (heads ?? []).map(withoutVersion).join(', '));
  if (columnsBefore !== columns) found.push(`columns: ${columnsBefore} became ${columns}`);
  const rowOf = (table: readonly (readonly string[])[], what: string) => table.find(([name]) => name === what);
  for (const what of new Set([...was, ...is].slice(1).map(([name]) => name!))) {
    if (what === '---' || what === '') continue;
    const [before, now] = [rowOf(was, what), rowOf(is, what)];
    if (before === undefined || now === undefined) {
      found.push(`${what}: ${before === undefined ? 'is not in the table' : 'is measured no more'}`);
      continue;
    }
    for (const [column, least] of tolerances.entries()) {
      const [one, other] = [before[column + 1] ?? '', now[column + 1]!];
      if (!isNear(one, other, least !== null ? { part: byteTolerance, least } : what.startsWith('idle') ? rate : exact))
        found.push(`${what}, ${is[0]![column + 1]}: ${one} became ${other}`);
    }
  }
  return found;
}

/** The same holds on every version of the server, but for bytes, of which nearly the same do. */
function withoutVersion(head: string): string {
  return head.replace(/ \d+(?=: )/, '');
}

interface Tolerance {
  readonly part: number;
  readonly least: number;
}

const exact: Tolerance = { part: 0, least: 0 };
const rate: Tolerance = { part: rateTolerance, least: 1 };

function isNear(one: string, other: string, { part, least }: Tolerance): boolean {
  if (one === other) return true;
  const [a, b] = [one, other].map((cell) => Number(cell.replaceAll(',', '')));
  return Math.abs(a! - b!) <= Math.max(least, part * Math.max(a!, b!));
}

interface Column {
  readonly name: string;
  readonly isBytes: boolean;
  readonly of: (cost: Cost) => number;
}

function columnsOf(costs: readonly Cost[]): readonly Column[] {
  const roundTrips: Column = { name: 'round trips', isBytes: false, of: (cost) => cost.roundTrips ?? Number.NaN };
  return [
    { name: 'statements', isBytes: false, of: (cost) => cost.statements },
    { name: 'commits', isBytes: false, of: (cost) => cost.commits },
    ...(costs[0]?.roundTrips === null ? [] : [roundTrips]),
    { name: 'bytes of WAL', isBytes: true, of: (cost) => cost.logBytes },
  ];
}

/** With a digit behind the point where there is something. */
function formatCount(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}

function cellsOf(table: string): readonly (readonly string[])[] {
  return table.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function placeOf(text: string): readonly [number, number] {
  const [from, to] = [text.indexOf(beginning), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the text lacks ${beginning} … ${end}`);
  return [from + beginning.length, to];
}
