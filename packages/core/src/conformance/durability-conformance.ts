// The suite that shows durability with real processes: killed, frozen, raced and stopped, on a real database.
import { describe } from 'vitest';
import { createDurabilitySuite } from './durability-bench.js';
import { resolveDurabilityOptions, type DurabilityFixtureFactory, type DurabilityOptions } from './durability-fixture.js';
import { crowdCases } from './durability-crowd-cases.js';
import { faultCases } from './durability-fault-cases.js';
import { killCases } from './durability-kill-cases.js';
import { placeCases } from './durability-place-cases.js';
import { programCases } from './durability-program-cases.js';
import { shutdownCases } from './durability-shutdown-cases.js';
import { societyCases } from './durability-society-cases.js';
import { startCases } from './durability-start-cases.js';
import { workerCases } from './durability-worker-cases.js';

/**
 * Defines, in the vitest file that calls it, tests that start worker processes on databases of the factory. It needs processes that can
 * be killed by SIGKILL and frozen by SIGSTOP.
 * @param name what the tests are listed under.
 */
export function durabilityConformance(name: string, factory: DurabilityFixtureFactory, options: DurabilityOptions = {}): void {
  const resolved = resolveDurabilityOptions(options);
  const suite = createDurabilitySuite(factory, resolved);
  describe(`${name} loses nothing and doubles nothing`, { timeout: resolved.timeout }, () => {
    killCases(suite);
    societyCases(suite);
    startCases(suite);
    workerCases(suite);
    shutdownCases(suite);
    placeCases(suite);
    programCases(suite);
    crowdCases(suite);
    faultCases(suite);
  });
}
