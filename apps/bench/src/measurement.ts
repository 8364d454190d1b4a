// What a measurement is: it is given a place and the size of its rounds, and gives rows of the table.
import type { Place } from './places/place.js';
import { compare, median, quantilePair, type Comparison, type Pair } from './statistics.js';

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  /** About how long one side of one round takes where a measurement can choose, in milliseconds. */
  readonly roundMs: number;
  /** How many workflows of a kind where a measurement needs a number; smaller in quick runs. */
  readonly quick: boolean;
}

export interface Measurement {
  /** For `--only`. */
  readonly name: string;
  /** Whether a place has something for it. Left out: each has. */
  isFor?(place: Place): boolean;
  run(place: Place, effort: Effort): Promise<readonly ResultRow[]>;
}

/** What is to be reached: a bound of the ratio, of the difference (romancy less raw, in the row's unit), or of Romancy's own number. */
export interface Target {
  readonly of: 'ratio' | 'difference' | 'romancy';
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

/** One row of the table. */
export interface ResultRow extends Omit<Comparison, 'raw' | 'ratio' | 'spread'> {
  readonly what: string;
  readonly unit: string;
  /** Null: code by hand has no such thing. */
  readonly raw: number | null;
  readonly ratio: number | null;
  /** Of the ratios; of Romancy's own numbers where there are none. */
  readonly spread: readonly [number, number];
  readonly target: Target | null;
  /** For plots; not in the table. */
  readonly plot?: PlotData;
}

/** What a plot is drawn from. */
export type PlotData =
  /** All that was measured on each side, of which the row tells one part. */
  | { readonly chart: Distribution; readonly romancy: readonly number[]; readonly raw: readonly number[] }
  /** The row is one point of a line. */
  | { readonly chart: Line; readonly x: number };

export type Distribution = 'start-to-result' | 'event-to-resumption' | 'timer-lateness';
export type Line = 'workers' | 'backlog-throughput' | 'backlog-latency' | 'history';

/** The samples of all rounds. */
export function distribution(chart: Distribution, samples: readonly Pair[]): PlotData {
  return { chart, romancy: samples.map(({ romancy }) => romancy), raw: samples.map(({ raw }) => raw) };
}

export interface RowHead {
  readonly what: string;
  readonly unit: string;
  readonly target?: Target | null;
  readonly plot?: PlotData;
}

export function comparedRow({ target = null, ...head }: RowHead, pairs: readonly Pair[]): ResultRow {
  return { ...head, target, ...compare(pairs) };
}

/** One quantile of all samples of all rounds together; the spread is that of the rounds' ratios. For parts of which one round has few. */
export function pooledRow(head: RowHead, rounds: readonly (readonly Pair[])[], part: number): ResultRow {
  const pairs = rounds.map((samples) => quantilePair(samples, part));
  const all = quantilePair(rounds.flat(), part);
  return { ...comparedRow(head, pairs), ...all, ratio: all.romancy / all.raw };
}

/** Numbers of Romancy's own, where code by hand has no such thing. `typical` makes one of them: the median, unless something else is said. */
export function ownRow(
  { target = null, ...head }: RowHead,
  numbers: readonly number[],
  typical: (numbers: readonly number[]) => number = median,
): ResultRow {
  return {
    ...head,
    target,
    romancy: typical(numbers),
    raw: null,
    ratio: null,
    spread: [Math.min(...numbers), Math.max(...numbers)],
  };
}

/** Null: nothing was to be reached. */
export function isReached(row: ResultRow): boolean | null {
  const { target } = row;
  if (target === null) return null;
  const value = valueOf(row, target);
  if (value === null) return false;
  return target.bound === 'at least' ? value >= target.value : value <= target.value;
}

function valueOf({ romancy, raw, ratio }: ResultRow, { of }: Target): number | null {
  if (of === 'romancy') return romancy;
  if (of === 'ratio') return ratio;
  return raw === null ? null : romancy - raw;
}
