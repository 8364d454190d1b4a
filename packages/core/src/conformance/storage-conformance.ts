// The suite that every storage must pass: one file of cases per subject.
import { describe } from 'vitest';
import { broadcastCases } from './broadcast-cases.js';
import { cancelCases } from './cancel-cases.js';
import { childCases } from './child-cases.js';
import { claimCases } from './claim-cases.js';
import { compensatingCases } from './compensating-cases.js';
import { deliveryCases } from './delivery-cases.js';
import { effectCases } from './effect-cases.js';
import { eventCases } from './event-cases.js';
import { eventFilterCases } from './event-filter-cases.js';
import { eventStartCases } from './event-start-cases.js';
import { historyCases } from './history-cases.js';
import { interleavingCases } from './interleaving-cases.js';
import { leaseCases } from './lease-cases.js';
import { upkeepCases } from './upkeep-cases.js';
import { listCases } from './list-cases.js';
import { lostClaimCases } from './lost-claim-cases.js';
import { modeCases } from './mode-cases.js';
import { modelCases } from './model-cases.js';
import { openingCases } from './opening-cases.js';
import { outboxCases } from './outbox-cases.js';
import { outboxKeepingCases } from './outbox-keeping-cases.js';
import { pendingProgressCases } from './pending-progress-cases.js';
import { payloadCases } from './payload-cases.js';
import { queueAnswerCases } from './queue-answer-cases.js';
import { queueCases } from './queue-cases.js';
import { queueRaceCases } from './queue-race-cases.js';
import { queueReturnCases } from './queue-return-cases.js';
import { recurrenceCases } from './recurrence-cases.js';
import { repeatCases } from './repeat-cases.js';
import { settlementCases } from './settlement-cases.js';
import { signalCases } from './signal-cases.js';
import { startCases } from './start-cases.js';
import { retentionCases } from './retention-cases.js';
import { resolveConformanceOptions, type StorageConformanceOptions, type StorageFixtureFactory } from './storage-fixture.js';
import { createBench } from './storage-harness.js';
import { transactionEffectCases } from './transaction-effect-cases.js';
import { transactionCases } from './transaction-cases.js';

/**
 * Defines, in the vitest file that calls it, the tests of the storage port. Each test asks the factory for an empty database, opens as
 * many storages on it as it needs, closes them all, and calls the fixture's `cleanup`, also when it failed.
 *
 * ```ts
 * storageConformance('my storage', async () => {
 *   const database = await createEmptyDatabase();
 *   return {
 *     open: async () => { const storage = createMyStorage({ database }); await storage.open(context); return storage; },
 *     skip: { transactions: 'why', failInTransaction: 'why', openElsewhere: 'why', kill: 'why', presence: 'why' },
 *     cleanup: () => database.drop(),
 *   };
 * });
 * ```
 *
 * @param name what the tests are listed under.
 */
export function storageConformance(name: string, factory: StorageFixtureFactory, options: StorageConformanceOptions = {}): void {
  const resolved = resolveConformanceOptions(options);
  const bench = createBench(factory, resolved);
  describe(`${name} keeps the storage port's word`, { timeout: resolved.timeout }, () => {
    openingCases(bench);
    leaseCases(bench);
    upkeepCases(bench);
    startCases(bench);
    historyCases(bench);
    settlementCases(bench);
    claimCases(bench);
    lostClaimCases(bench);
    signalCases(bench);
    eventCases(bench);
    deliveryCases(bench);
    eventFilterCases(bench);
    eventStartCases(bench);
    modeCases(bench);
    broadcastCases(bench);
    queueCases(bench);
    queueAnswerCases(bench);
    queueReturnCases(bench);
    queueRaceCases(bench);
    effectCases(bench);
    compensatingCases(bench);
    childCases(bench);
    recurrenceCases(bench);
    outboxCases(bench);
    outboxKeepingCases(bench);
    retentionCases(bench);
    cancelCases(bench);
    listCases(bench);
    payloadCases(bench);
    transactionCases(bench);
    pendingProgressCases(bench);
    transactionEffectCases(bench);
    repeatCases(bench);
    interleavingCases(bench);
    modelCases(bench);
  });
}
