// The options of an app: what may be given, what is assumed, what is refused.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { Duration } from '../domain/duration.js';
import { ConfigurationError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { defaultRetryPolicy, resolveRetryPolicy, type RetryOptions, type RetryPolicy } from '../domain/retry-policy.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Entropy } from '../ports/entropy.js';
import type { Hooks } from '../ports/hooks.js';
import type { Logger } from '../ports/logger.js';
import type { Notifier } from '../ports/notifier.js';
import type { Storage } from '../ports/storage.js';
import type { RelayOptions } from '../scheduler/outbox-relayer.js';
import type { RetentionAges } from '../scheduler/retention-job.js';
import { consoleLogger } from './console-logger.js';
import type { RegisteredError } from './error-registry.js';
import { checkGivenParts } from './given-parts.js';
import { createJsonCodec } from './json-codec.js';
import { interval, wholeNumber } from './option-values.js';
import { resolveOutbox, type OutboxOptions } from './outbox-options.js';
import { resolveRetention, type RetentionOptions } from './retention-options.js';
import { systemClock } from './system-clock.js';
import { systemEntropy } from './system-entropy.js';

export interface RomancyOptions {
  /** Where instances live: `createPostgresStorage(…)`, `createSqliteStorage(…)`. One storage object serves one app. */
  readonly storage: Storage;
  /** Wake-ups between processes. Default: none, work is found by polling. */
  readonly notifier?: Notifier;
  /** The workflows that this process runs. Instances of others are left to other processes. Default: none; such an app starts and asks only. */
  readonly workflows?: readonly AnyWorkflow[];
  /** Error classes that keep their class when they come back from the database. A `codec` of your own is given them by you. */
  readonly errors?: readonly RegisteredError[];
  /**
   * The name of this process in tables and log lines, at most 200 characters. Its identity as a worker is that name with a UUID behind it,
   * which is another one at each start and after a lost lease: so the name may be that of the host. Default: the UUID alone.
   */
  readonly workerId?: string;
  /** Shown in the table of workers. Default `romancy`. */
  readonly serviceName?: string;
  /** How many runs may be in memory at a time. Those that wait are not. Default 100. */
  readonly concurrency?: number;
  /**
   * How often resumable instances are looked for; those that are due longest are claimed first, so that a backlog holds up what became
   * due later. One claim looks for all kinds: the shortest of three intervals counts. Without a notifier it also bounds how soon
   * `result()` sees an end in another process: it looks after 25 ms, then after twice as long each time, up to this interval. Default 1 s.
   */
  readonly workflowPollInterval?: Duration;
  /** How often due timers set by other processes are looked for; this process knows its own. Default 1 s. */
  readonly timerPollInterval?: Duration;
  /** How often timed-out waits registered by other processes are looked for. Default 5 s. */
  readonly channelTimeoutInterval?: Duration;
  /** Default: on when a notifier is plugged in. `true` without one is an error, `false` polls in spite of one. */
  readonly listenNotify?: boolean;
  /**
   * How often to poll while the notifier is healthy. Each renewal of the lease asks as well whether something is due, and counts as a poll
   * when nothing is. `result()` then looks for an end in another process no more often than this. Default 30 s.
   */
  readonly notifyFallbackInterval?: Duration;
  /** At most so many instances, resumable or due or with mail, in one claim: the smallest of the three counts. Default 100. */
  readonly maxWorkflowsPerBatch?: number;
  readonly maxTimersPerBatch?: number;
  /** Also how many pieces of mail a claim brings per instance. Default 100. */
  readonly maxMessagesPerBatch?: number;
  /**
   * How long this process may be silent before others take over its runs. It is renewed three times as often. Where the end of a process
   * shows by itself (SQLite on one machine; PostgreSQL with a notifier) others take over within seconds. Default 30 s, at least 1 s.
   */
  readonly leaseDuration?: Duration;
  /** How long `stop()` waits for activities under way. Default 30 s. */
  readonly shutdownTimeout?: Duration;
  /** For activities that set no policy of their own. Default: 5 attempts, 1 s first delay, factor 2, 60 s cap, jitter. */
  readonly retry?: RetryOptions;
  /**
   * Who takes the events away that workflows and activities send (`ctx.sendEvent`). Default: nobody here; they wait for a process that has this
   * option. Any number of processes may have it.
   */
  readonly outbox?: OutboxOptions;
  /** How long what is over is kept. Default: for ever, except what is needed to know the duplicates of events (30 days). */
  readonly retention?: RetentionOptions;
  /** The largest size of one input, output, error or event, written down as JSON, in bytes. Default 16 MiB. */
  readonly maxPayloadBytes?: number;
  /** Default: the console, without debug lines. For none at all: `silentLogger`. */
  readonly logger?: Logger;
  readonly hooks?: Hooks;
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  /** Default: JSON with tags for what JSON lacks. */
  readonly codec?: Codec;
}

/** Options with every member set; times in milliseconds. */
export interface ResolvedOptions {
  readonly storage: Storage;
  readonly notifier: Notifier | null;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  /** An identity that no worker had before. */
  readonly newWorkerId: () => string;
  readonly serviceName: string;
  readonly concurrency: number;
  readonly workflowPollIntervalMs: number;
  readonly timerPollIntervalMs: number;
  readonly channelTimeoutIntervalMs: number;
  readonly notifyFallbackIntervalMs: number;
  readonly claimBatchSize: number;
  readonly mailLimit: number;
  readonly leaseMs: number;
  readonly shutdownTimeoutMs: number;
  readonly retry: RetryPolicy;
  /** Null: this process sends no events. */
  readonly outbox: RelayOptions | null;
  readonly retention: RetentionAges;
  readonly maxPayloadBytes: number;
  readonly logger: Logger;
  readonly hooks: Hooks;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly codec: Codec;
}

const optionNames = namesOf<RomancyOptions>({
  storage: true,
  notifier: true,
  workflows: true,
  errors: true,
  workerId: true,
  serviceName: true,
  concurrency: true,
  workflowPollInterval: true,
  timerPollInterval: true,
  channelTimeoutInterval: true,
  listenNotify: true,
  notifyFallbackInterval: true,
  maxWorkflowsPerBatch: true,
  maxTimersPerBatch: true,
  maxMessagesPerBatch: true,
  leaseDuration: true,
  shutdownTimeout: true,
  retry: true,
  outbox: true,
  retention: true,
  maxPayloadBytes: true,
  logger: true,
  hooks: true,
  clock: true,
  entropy: true,
  codec: true,
});

/** @throws ConfigurationError naming the option and what it takes. */
export function resolveOptions(options: RomancyOptions): ResolvedOptions {
  checkKnownOptions(options, optionNames, '');
  if (typeof options.storage !== 'object' || options.storage === null) {
    throw new ConfigurationError('storage is missing; pass createSqliteStorage(…) or createPostgresStorage(…)', {
      option: 'storage',
    });
  }
  checkGivenParts(options);
  if (options.codec !== undefined && options.errors !== undefined) {
    throw new ConfigurationError('errors is for the codec of Romancy; give them to your own: createJsonCodec({ errors })', {
      option: 'errors',
    });
  }
  const entropy = options.entropy ?? systemEntropy;
  const { workerId } = options;
  if (workerId !== undefined) checkWorkerName(workerId);
  const retry = resolveRetryPolicy(options.retry, defaultRetryPolicy, 'retry');
  const newWorkerId = (): string => (workerId === undefined ? entropy.uuid() : `${workerId}-${entropy.uuid()}`);
  if (options.serviceName !== undefined) checkName(options.serviceName, 'serviceName');
  return Object.freeze({
    storage: options.storage,
    notifier: resolveNotifier(options),
    workflows: registerWorkflows(options.workflows ?? []),
    newWorkerId,
    serviceName: options.serviceName ?? 'romancy',
    concurrency: wholeNumber(options.concurrency, 'concurrency', 100),
    workflowPollIntervalMs: interval(options.workflowPollInterval, 'workflowPollInterval', 1000),
    timerPollIntervalMs: interval(options.timerPollInterval, 'timerPollInterval', 1000),
    channelTimeoutIntervalMs: interval(options.channelTimeoutInterval, 'channelTimeoutInterval', 5000),
    notifyFallbackIntervalMs: interval(options.notifyFallbackInterval, 'notifyFallbackInterval', 30_000),
    claimBatchSize: Math.min(
      wholeNumber(options.maxWorkflowsPerBatch, 'maxWorkflowsPerBatch', 100),
      wholeNumber(options.maxTimersPerBatch, 'maxTimersPerBatch', 100),
    ),
    mailLimit: wholeNumber(options.maxMessagesPerBatch, 'maxMessagesPerBatch', 100),
    leaseMs: interval(options.leaseDuration, 'leaseDuration', 30_000, 1000),
    shutdownTimeoutMs: interval(options.shutdownTimeout, 'shutdownTimeout', 30_000, 0),
    retry,
    outbox: resolveOutbox(options.outbox, retry),
    retention: resolveRetention(options.retention),
    maxPayloadBytes: wholeNumber(options.maxPayloadBytes, 'maxPayloadBytes', 16 * 1024 * 1024),
    logger: options.logger ?? consoleLogger,
    hooks: options.hooks ?? {},
    clock: options.clock ?? systemClock,
    entropy,
    codec: options.codec ?? createJsonCodec({ errors: options.errors ?? [] }),
  });
}

function resolveNotifier(options: RomancyOptions): Notifier | null {
  const { notifier, listenNotify, storage } = options;
  if (listenNotify !== undefined && typeof listenNotify !== 'boolean') {
    throw new ConfigurationError(`listenNotify is ${typeof listenNotify}; it takes true or false, or leave it out`, {
      option: 'listenNotify',
    });
  }
  if (notifier === undefined) {
    if (listenNotify === true) {
      throw new ConfigurationError(
        'listenNotify is true, but no notifier is plugged in; pass one as option notifier, or leave listenNotify out',
        {
          option: 'listenNotify',
        },
      );
    }
    return null;
  }
  if (!notifier.storageKinds.includes(storage.kind)) {
    throw new ConfigurationError(
      `notifier works beside ${notifier.storageKinds.join(' or ')}, not beside ${storage.kind}; leave it out, the app then polls`,
      { option: 'notifier' },
    );
  }
  if (listenNotify === false) return null;
  if (notifier.notesOf !== undefined && storage.sendsNotes !== true) {
    throw new ConfigurationError(
      `notifier leaves its notes to the transactions of the storage (delivery 'transactional'), and a storage on ${storage.kind} sends none`,
      { option: 'notifier' },
    );
  }
  return notifier;
}

function registerWorkflows(workflows: readonly AnyWorkflow[]): ReadonlyMap<string, AnyWorkflow> {
  if (!Array.isArray(workflows)) {
    throw new ConfigurationError('workflows takes a list of what defineWorkflow returned', { option: 'workflows' });
  }
  const byName = new Map<string, AnyWorkflow>();
  for (const workflow of workflows as readonly AnyWorkflow[]) {
    if (workflow?.type !== 'workflow') {
      throw new ConfigurationError('workflows takes what defineWorkflow returned', { option: 'workflows' });
    }
    if (byName.has(workflow.name)) {
      throw new ConfigurationError(
        `workflows holds two definitions named ${JSON.stringify(workflow.name)}; a name stands for one`,
        {
          option: 'workflows',
        },
      );
    }
    byName.set(workflow.name, workflow);
  }
  return byName;
}

/** What stands behind it must fit as well. */
const longestWorkerName = 200;

function checkWorkerName(name: string): void {
  checkName(name, 'workerId');
  if (name.length > longestWorkerName) {
    throw new ConfigurationError(`workerId has ${name.length} characters; it takes 1 to ${longestWorkerName}`, {
      option: 'workerId',
    });
  }
}
