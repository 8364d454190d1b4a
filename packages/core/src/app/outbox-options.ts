// Option `outbox`: who sends the events of workflows, and how.
import { timeLimitMs, type Duration } from '../domain/duration.js';
import { ConfigurationError } from '../domain/errors.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { resolveRetryPolicy, type RetryOptions, type RetryPolicy } from '../domain/retry-policy.js';
import type { SendEvent } from '../ports/send-event.js';
import type { RelayOptions } from '../scheduler/outbox-relayer.js';
import { wholeNumber } from './option-values.js';

export interface OutboxOptions {
  /**
   * Takes an event away: to a broker, by HTTP, to a table. Which receiver gets it is its business. It may be called again with the same event, after a
   * crash or a lost answer; `id` and `source` tell.
   */
  readonly send: SendEvent;
  /** At most so many events in one claim. Default 100. */
  readonly batchSize?: number;
  /** How many streams (events with one source and subject) are sent at a time; within a stream one event follows the other. Default 10. */
  readonly concurrency?: number;
  /**
   * Laid over the app's `retry`. Default: its delays and classes, at least 50 attempts and no `maxDuration`: with the usual delays over half an hour, which is
   * longer than receivers are away for a deploy or a failover, and short enough that an event which always fails does not keep its
   * stream back for a day.
   */
  readonly retry?: RetryOptions;
  /** For each attempt. Default 30 s; `Infinity`: no limit. */
  readonly timeout?: Duration;
}

const optionNames = namesOf<OutboxOptions>({ send: true, batchSize: true, concurrency: true, retry: true, timeout: true });
const defaultTimeoutMs = 30_000;
const fewestAttempts = 50;

/** Null: this process sends nothing. @throws ConfigurationError */
export function resolveOutbox(options: OutboxOptions | undefined, retry: RetryPolicy): RelayOptions | null {
  if (options === undefined) return null;
  checkKnownOptions(options, optionNames, 'outbox');
  const send: unknown = options.send;
  if (typeof send !== 'function') {
    throw new ConfigurationError(
      `outbox.send is ${send === null ? 'null' : typeof send}; it takes a function such as async (event, { signal }) => { … }`,
      { option: 'outbox.send' },
    );
  }
  const base = { ...retry, maxAttempts: Math.max(fewestAttempts, retry.maxAttempts), maxDurationMs: Number.POSITIVE_INFINITY };
  const timeoutMs = options.timeout === undefined ? defaultTimeoutMs : timeLimitMs(options.timeout, 'outbox.timeout');
  if (timeoutMs === 0) throw new ConfigurationError('outbox.timeout is 0; it takes at least 1 ms', { option: 'outbox.timeout' });
  return Object.freeze({
    // It may be a method of the user's object.
    send: options.send.bind(options),
    batchSize: wholeNumber(options.batchSize, 'outbox.batchSize', 100),
    concurrency: wholeNumber(options.concurrency, 'outbox.concurrency', 10),
    retry: resolveRetryPolicy(options.retry, base, 'outbox.retry'),
    timeoutMs,
  } satisfies RelayOptions);
}
