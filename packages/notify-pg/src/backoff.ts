// How long to wait before the next attempt to connect.
import type { Entropy } from '@romancy/core/ports';

const firstMs = 100;

/**
 * Full jitter: anything from 0 to a bound that doubles with each failure in a row, from 100 ms up to the cap. Many processes that lost the same
 * server do not come back in step.
 * @param failures in a row, 1 or more. @returns milliseconds.
 */
export function backoffMs(failures: number, capMs: number, entropy: Entropy): number {
  // Beyond 2 ** 30 the cap was reached long ago, whatever it is.
  return entropy.random() * Math.min(capMs, firstMs * 2 ** Math.min(failures - 1, 30));
}
