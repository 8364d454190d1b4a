// Decides by the seed how the payment service behaves beyond what may befall any service.
import { createFaults, type Faults } from './faults.js';
import type { ContentMode } from './settlement-event.js';

export interface PaymentFaults extends Faults {
  /** How long the `attempt`th request with this key takes, in milliseconds. */
  latencyOf(key: string, attempt: number): number;
  /** How long after the authorisation a payment is settled, in milliseconds. */
  settlementDelayOf(key: string): number;
  /** How often the settlement is reported, at least once: services like this one repeat themselves. */
  reportsOf(key: string): number;
  /** How the settlement is written down: the shop must take both. */
  modeOf(key: string): ContentMode;
}

/** @param seed null: nothing goes wrong. */
export function createPaymentFaults(seed: number | null): PaymentFaults {
  const faults = createFaults(seed);
  const chance: Faults['chance'] = (...words) => faults.chance(...words);
  return {
    ...faults,
    latencyOf: (key, attempt) => 40 + 110 * chance('latency', key, attempt),
    settlementDelayOf: (key) => 50 + 450 * chance('settlement', key),
    reportsOf: (key) => (seed !== null && chance('reports', key) < 0.1 ? 2 : 1),
    modeOf: (key) => (chance('mode', key) < 0.5 ? 'structured' : 'binary'),
  };
}
