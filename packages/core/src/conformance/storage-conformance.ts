// The suite that every storage must pass: one file of cases per subject.
import { describe } from 'vitest';
import { leaseCases } from './lease-cases.js';
import { createBench } from './storage-harness.js';
import { resolveConformanceOptions, type StorageConformanceOptions, type StorageFixtureFactory } from './storage-fixture.js';
import { startCases } from './start-cases.js';
import { historyCases } from './history-cases.js';
import { settlementCases } from './settlement-cases.js';
import { claimCases } from './claim-cases.js';
import { signalCases } from './signal-cases.js';
import { eventCases } from './event-cases.js';
import { cancelCases } from './cancel-cases.js';

/**
 * Defines, in the vitest file that calls it, the tests of the storage port. Each test asks the factory for an empty database.
 * @param name what the tests are listed under.
 */
export function storageConformance(name: string, factory: StorageFixtureFactory, options: StorageConformanceOptions = {}): void {
  const resolved = resolveConformanceOptions(options);
  const bench = createBench(factory, resolved);
  describe(`${name} keeps the storage port's word`, { timeout: resolved.timeout }, () => {
    leaseCases(bench);
    startCases(bench);
    historyCases(bench);
    settlementCases(bench);
    claimCases(bench);
    signalCases(bench);
    eventCases(bench);
    cancelCases(bench);
  });
}
