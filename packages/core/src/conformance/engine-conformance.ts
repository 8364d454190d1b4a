// The engine's behaviour as a suite that runs on every storage: one file of cases per subject.
import { describe } from 'vitest';
import { activityCases } from './engine-activity-cases.js';
import { attemptCases } from './engine-attempt-cases.js';
import { resolveEngineOptions, type EngineConformanceOptions, type EngineFixtureFactory } from './engine-fixture.js';
import { createEngineBench } from './engine-harness.js';
import { determinismCases } from './engine-determinism-cases.js';
import { doubtCases } from './engine-doubt-cases.js';
import { faultCases } from './engine-fault-cases.js';
import { historyCases } from './engine-history-cases.js';
import { hookCases } from './engine-hook-cases.js';
import { listCases } from './engine-list-cases.js';
import { notifierCases } from './engine-notifier-cases.js';
import { raceCases } from './engine-race-cases.js';
import { retentionCases } from './engine-retention-cases.js';
import { retryCases } from './engine-retry-cases.js';
import { talkCases } from './engine-talk-cases.js';
import { startManyCases } from './engine-start-many-cases.js';
import { shutdownCases } from './engine-shutdown-cases.js';
import { takeoverCases } from './engine-takeover-cases.js';
import { timerCases } from './engine-timer-cases.js';
import { transactionCases } from './engine-transaction-cases.js';
import { transactionOrderCases } from './engine-transaction-order-cases.js';
import { transactionWaitCases } from './engine-transaction-wait-cases.js';
import { valueCases } from './engine-value-cases.js';
import { wakeupCases } from './engine-wakeup-cases.js';
import { workflowCases } from './engine-workflow-cases.js';

/**
 * Defines, in the vitest file that calls it, the tests of what apps do on a storage. Each test asks the factory for an empty database.
 * @param name what the tests are listed under.
 */
export function engineConformance(name: string, factory: EngineFixtureFactory, options: EngineConformanceOptions = {}): void {
  const resolved = resolveEngineOptions(options);
  const bench = createEngineBench(factory, resolved);
  describe(`the engine on ${name}`, { timeout: resolved.timeout }, () => {
    workflowCases(bench);
    startManyCases(bench);
    listCases(bench);
    activityCases(bench);
    attemptCases(bench);
    transactionCases(bench);
    transactionOrderCases(bench);
    transactionWaitCases(bench);
    timerCases(bench);
    raceCases(bench);
    talkCases(bench);
    retentionCases(bench);
    hookCases(bench);
    takeoverCases(bench);
    notifierCases(bench);
    wakeupCases(bench);
    faultCases(bench);
    doubtCases(bench);
    shutdownCases(bench);
    if (resolved.storageOnly) return;
    retryCases(bench);
    valueCases(bench);
    determinismCases(bench);
    historyCases(bench);
  });
}
