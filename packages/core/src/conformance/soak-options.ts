// How much the message soak does: by environment variables, since it is run by hand.
import { environmentNumber } from './environment-number.js';
import { streamCount } from './soak-plan.js';

/** What is different from storage to storage. */
export interface MessageSoakOptions {
  /** The lease of workers that are killed, in milliseconds. */
  readonly leaseMs: number;
  /** Milliseconds for which the workflows wait now and then. */
  readonly waitMs: number;
}

export interface ResolvedSoakOptions extends MessageSoakOptions {
  /** In each test. */
  readonly messages: number;
  /** Workflows that publish nine tenths of them. */
  readonly publishers: number;
  /** In how many tests, each on a database of its own, so that one can be run alone. */
  readonly parts: number;
  /** As many for each of the streams. */
  readonly events: number;
  readonly seed: number;
  /** Milliseconds between two kills. */
  readonly killEvery: readonly [number, number];
}

/**
 * `ROMANCY_SOAK_MESSAGES` says how many messages there are in all (default 100,000; a tenth as many events, 2,000 at least),
 * `ROMANCY_SOAK_PARTS` in how many tests (default 1), `ROMANCY_SOAK_SEED` what is random in them (default: something else in each run).
 * @throws RangeError when one of them is no such number.
 */
export function resolveSoakOptions(options: MessageSoakOptions): ResolvedSoakOptions {
  const messages = environmentNumber('ROMANCY_SOAK_MESSAGES', { byDefault: 100_000 });
  const parts = environmentNumber('ROMANCY_SOAK_PARTS', { byDefault: 1 });
  return {
    ...options,
    messages: Math.ceil(messages / parts),
    publishers: Math.ceil(messages / 10 / parts),
    parts,
    events: Math.ceil(Math.max(2000, messages / 10) / streamCount) * streamCount,
    seed: environmentNumber('ROMANCY_SOAK_SEED', { byDefault: Date.now() % 1_000_000, least: 0 }),
    killEvery: [500, 3000],
  };
}
