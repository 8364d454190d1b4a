// Makes the scheduler of an app from the app's options.
import { Scheduler } from '../scheduler/scheduler.js';
import { guardedHooks, guardedLogger } from './guarded.js';
import type { ResolvedOptions } from './options.js';

/**
 * How many history entries come with a claim. Most instances have fewer; a claim of a hundred that all have more must neither fill the
 * memory nor, with a database inside this thread, keep the event loop.
 */
const historyLimit = 100;
/** And in each further page. */
const historyPage = 1000;
/** How long a stalled instance rests before somebody tries it again. */
const stallRetryMs = 60_000;

/** Nothing is connected or begun yet. The user's logger and hooks are made safe to call. */
export function createScheduler(options: ResolvedOptions): Scheduler {
  const { storage, notifier, workflows, clock, entropy, codec, hooks, leaseMs } = options;
  const logger = guardedLogger(options.logger);
  return new Scheduler({
    storage,
    notifier,
    workflows,
    options: {
      newWorkerId: options.newWorkerId,
      serviceName: options.serviceName,
      concurrency: options.concurrency,
      leaseMs,
      renewalMs: leaseMs / 3,
      pace: options,
      claimBatchSize: options.claimBatchSize,
      historyLimit,
      historyPage,
      outbox: options.outbox,
      retention: options.retention,
    },
    services: {
      codec,
      clock,
      entropy,
      logger,
      hooks: guardedHooks(hooks, logger),
      retry: options.retry,
      maxPayloadBytes: options.maxPayloadBytes,
      mailLimit: options.mailLimit,
      stallRetryMs,
    },
  });
}
