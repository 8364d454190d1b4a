// The engine's behaviour as a suite that runs on every storage: one file of cases per subject.
import { describe } from 'vitest';
import { activityCases } from './engine-activity-cases.js';
import { attemptCases } from './engine-attempt-cases.js';
import { broadcastCases } from './engine-broadcast-cases.js';
import { resolveEngineOptions, type EngineConformanceOptions, type EngineFixtureFactory } from './engine-fixture.js';
import { createEngineBench } from './engine-harness.js';
import { channelCases } from './engine-channel-cases.js';
import { childCases } from './engine-child-cases.js';
import { cancelCases } from './engine-cancel-cases.js';
import { determinismCases } from './engine-determinism-cases.js';
import { doubtCases } from './engine-doubt-cases.js';
import { eventCases } from './engine-event-cases.js';
import { eventMatchCases } from './engine-event-match-cases.js';
import { familyCases } from './engine-family-cases.js';
import { faultCases } from './engine-fault-cases.js';
import { groupCases } from './engine-group-cases.js';
import { historyCases } from './engine-history-cases.js';
import { hookCases } from './engine-hook-cases.js';
import { listCases } from './engine-list-cases.js';
import { messageCases } from './engine-message-cases.js';
import { notifierCases } from './engine-notifier-cases.js';
import { outboxCases } from './engine-outbox-cases.js';
import { outboxFailureCases } from './engine-outbox-failure-cases.js';
import { raceCases } from './engine-race-cases.js';
import { retentionCases } from './engine-retention-cases.js';
import { recurCases } from './engine-recur-cases.js';
import { recurMailCases } from './engine-recur-mail-cases.js';
import { retryCases } from './engine-retry-cases.js';
import { sagaCancelCases } from './engine-saga-cancel-cases.js';
import { sagaCases } from './engine-saga-cases.js';
import { sagaCrashCases } from './engine-saga-crash-cases.js';
import { startManyCases } from './engine-start-many-cases.js';
import { shutdownCases } from './engine-shutdown-cases.js';
import { takeoverCases } from './engine-takeover-cases.js';
import { timerCases } from './engine-timer-cases.js';
import { transactionCases } from './engine-transaction-cases.js';
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
    timerCases(bench);
    raceCases(bench);
    eventCases(bench);
    eventMatchCases(bench);
    broadcastCases(bench);
    channelCases(bench);
    groupCases(bench);
    messageCases(bench);
    childCases(bench);
    cancelCases(bench);
    recurCases(bench);
    recurMailCases(bench);
    familyCases(bench);
    sagaCases(bench);
    sagaCancelCases(bench);
    sagaCrashCases(bench);
    outboxCases(bench);
    outboxFailureCases(bench);
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
