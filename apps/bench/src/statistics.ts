// Numbers out of numbers: quantiles, and what five rounds say together.

/**
 * The value below which the given part of the values lies, between two of them interpolated.
 * @param part from 0 to 1.
 * @throws RangeError when there are no values.
 */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new RangeError('a quantile needs at least one value');
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @throws RangeError when there are no values. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('a mean needs at least one value');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** One round of both sides, one right after the other. */
export interface Pair {
  readonly romancy: number;
  readonly raw: number;
}

/** The quantile of both sides' samples, each side for itself. */
export function quantilePair(samples: readonly Pair[], part: number): Pair {
  return {
    romancy: quantile(
      samples.map(({ romancy }) => romancy),
      part,
    ),
    raw: quantile(
      samples.map(({ raw }) => raw),
      part,
    ),
  };
}

/** What rounds come to. */
export interface Comparison {
  /** Medians. */
  readonly romancy: number;
  readonly raw: number;
  /** The median of the rounds' ratios romancy/raw: what disturbs one round disturbs both of its halves. */
  readonly ratio: number;
  /** The smallest and the largest of the rounds' ratios. */
  readonly spread: readonly [number, number];
}

export function compare(pairs: readonly Pair[]): Comparison {
  const ratios = pairs.map(({ romancy, raw }) => romancy / raw);
  return {
    romancy: median(pairs.map((pair) => pair.romancy)),
    raw: median(pairs.map((pair) => pair.raw)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}
