// Where values lie along one axis of a plot, and which of them are written beside it.

export interface AxisOptions {
  readonly label: string;
  /** Powers of ten lie equally far from each other. Values must be above 0. */
  readonly isLogarithmic: boolean;
  /** Shown in any case. */
  readonly includes?: readonly number[];
}

export interface Axis {
  readonly label: string;
  /** From 0, the beginning, to 1. */
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** @throws RangeError when there are no values, or some that a logarithmic axis does not have. */
export function makeAxis({ label, isLogarithmic, includes = [] }: AxisOptions, values: readonly number[]): Axis {
  const all = [...values, ...includes];
  if (values.length === 0) throw new RangeError(`${label}: there is nothing to plot`);
  if (!all.every((value) => Number.isFinite(value) && (value > 0 || !isLogarithmic))) {
    throw new RangeError(`${label}: a value has no place on the axis`);
  }
  const [least, most] = all.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  return isLogarithmic ? logarithmic(label, least, most) : linear(label, least, most);
}

function linear(label: string, least: number, most: number): Axis {
  const step = roundStep((most - least || Math.abs(most) || 1) / 5);
  const [first, last] = [Math.floor(least / step), Math.max(Math.ceil(most / step), Math.floor(least / step) + 1)];
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  return { label, ticks, place: (value) => (value / step - first) / (last - first) };
}

function logarithmic(label: string, least: number, most: number): Axis {
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const decades = Math.max(1, last - first);
  const factors = decades > 3 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: decades }, (_, index) => factors.map((factor) => factor * 10 ** (first + index))).flat();
  return { label, ticks: [...ticks, 10 ** (first + decades)], place: (value) => (Math.log10(value) - first) / decades };
}

/** 1, 2 or 5 times a power of ten. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((factor) => factor * power >= step) ?? 10);
}
