// Decides by the seed what goes wrong in a service, so that a run can be repeated.
import { createHash } from 'node:crypto';

/**
 * - `busy`: answered with 503, nothing was done.
 * - `cut`: the connection drops before anything is done.
 * - `cut-after`: the connection drops after it: the other side does not know that it was done.
 */
export type Fault = 'busy' | 'cut' | 'cut-after';

export interface Faults {
  /** What befalls the `attempt`th request (from 1) with this key. */
  faultOf(key: string, attempt: number): Fault | null;
  /** From 0 up to but not including 1, always the same for the same words; no matter in what order they are asked for. */
  chance(...words: readonly (string | number)[]): number;
}

/** @param seed null: nothing goes wrong. */
export function createFaults(seed: number | null): Faults {
  const chance: Faults['chance'] = (...words) =>
    createHash('sha256')
      .update(JSON.stringify([seed, ...words]))
      .digest()
      .readUInt32BE() /
    2 ** 32;
  return {
    chance,
    faultOf(key, attempt) {
      if (seed === null) return null;
      const drawn = chance('fault', key, attempt);
      if (drawn < 0.08) return 'busy';
      if (drawn < 0.12) return 'cut';
      return drawn < 0.17 ? 'cut-after' : null;
    },
  };
}
