// What a measurement is: it is given a place and the size of its rounds, and gives rows of the table.
import type { Place } from './places/place.js';
import { compare, type Comparison, type Pair } from './statistics.js';

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
  run(place: Place, effort: Effort): Promise<readonly ResultRow[]>;
}

/** What is to be reached: a bound of the ratio, or of Romancy's own number where there is nothing to compare with. */
export interface Target {
  readonly of: 'ratio' | 'romancy';
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
}

export function comparedRow(
  { what, unit, target = null }: { readonly what: string; readonly unit: string; readonly target?: Target | null },
  pairs: readonly Pair[],
): ResultRow {
  return { what, unit, target, ...compare(pairs) };
}

/** Null: nothing was to be reached. */
export function isReached({ target, ratio, romancy }: ResultRow): boolean | null {
  if (target === null) return null;
  const value = target.of === 'ratio' ? ratio : romancy;
  if (value === null) return false;
  return target.bound === 'at least' ? value >= target.value : value <= target.value;
}
