// How much a long test does, out of an environment variable, since such tests are run by hand.

export interface EnvironmentNumberOptions {
  /** What counts when the variable is not set, or empty. */
  readonly byDefault: number;
  /** Default: 1. */
  readonly least?: number;
}

/**
 * A whole number from `least` on.
 * @throws RangeError when the variable says something else: at once, not after an hour of a test that does nothing.
 */
export function environmentNumber(variable: string, { byDefault, least = 1 }: EnvironmentNumberOptions): number {
  const text = process.env[variable] ?? '';
  if (text === '') return byDefault;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < least) {
    throw new RangeError(`${variable} must be a whole number from ${least} on, not ${JSON.stringify(text)}`);
  }
  return number;
}
