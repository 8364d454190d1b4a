// Decides by the seed what goes wrong in the payment service, so that a run can be repeated.
import { createHash } from 'node:crypto';

/**
 * - `busy`: answered with 503, nothing was charged.
 * - `cut`: the connection drops before the charge.
 * - `cut-after`: the connection drops after it: the shop does not know that the card was charged.
 */
export type Fault = 'busy' | 'cut' | 'cut-after';

export interface PaymentFaults {
  /** What befalls the `attempt`th request (from 1) with this key. */
  faultOf(key: string, attempt: number): Fault | null;
  /** How long that request takes, in milliseconds. */
  latencyOf(key: string, attempt: number): number;
  /** How long after the authorisation a payment is settled, in milliseconds. */
  settlementDelayOf(key: string): number;
  /** How often the settlement is reported, at least once: services like this one repeat themselves. */
  reportsOf(key: string): number;
}

/** @param seed null: nothing goes wrong. */
export function createPaymentFaults(seed: number | null): PaymentFaults {
  /** From 0 up to but not including 1, always the same for the same words; no matter in what order they are asked for. */
  const chance = (...words: readonly (string | number)[]): number =>
    createHash('sha256')
      .update(JSON.stringify([seed, ...words]))
      .digest()
      .readUInt32BE() /
    2 ** 32;

  return {
    faultOf(key, attempt) {
      if (seed === null) return null;
      const drawn = chance('fault', key, attempt);
      if (drawn < 0.08) return 'busy';
      if (drawn < 0.12) return 'cut';
      return drawn < 0.17 ? 'cut-after' : null;
    },
    latencyOf: (key, attempt) => 40 + 110 * chance('latency', key, attempt),
    settlementDelayOf: (key) => 50 + 450 * chance('settlement', key),
    reportsOf: (key) => (seed !== null && chance('reports', key) < 0.1 ? 2 : 1),
  };
}
