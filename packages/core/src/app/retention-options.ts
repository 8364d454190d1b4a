// Option `retention`: how long what is over is kept.
import { timeLimitMs, type Duration } from '../domain/duration.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import type { RetentionAges } from '../scheduler/retention-job.js';

/** Everything is kept for at least so long after it ended; `Infinity`, and the default of all but one: for ever. */
export interface RetentionOptions {
  /** Completed instances, with their history. Later nobody gets their result any more, and a start or an event with their id starts them again. */
  readonly completed?: Duration;
  readonly failed?: Duration;
  readonly cancelled?: Duration;
  /** What instances were before they recurred. */
  readonly recurred?: Duration;
  /** Events that were sent. Failed and invalid ones stay until `outbox.purge`. */
  readonly sentEvents?: Duration;
  /** Messages that nobody fetched, on channels to which nobody is subscribed. Of these no more than the newest 10,000 stay in any case. */
  readonly queuedMessages?: Duration;
  /** By what a second delivery of an event is known for one. Default 30 days. */
  readonly seenEvents?: Duration;
}

const optionNames = namesOf<RetentionOptions>({
  completed: true,
  failed: true,
  cancelled: true,
  recurred: true,
  sentEvents: true,
  queuedMessages: true,
  seenEvents: true,
});
const mostQueued = 10_000;

/** @throws ConfigurationError */
export function resolveRetention(options: RetentionOptions = {}): RetentionAges {
  checkKnownOptions(options, optionNames, 'retention');
  const age = (name: keyof RetentionOptions, fallback: Duration = Number.POSITIVE_INFINITY): number | null =>
    timeLimitMs(options[name] ?? fallback, `retention.${name}`);
  return Object.freeze({
    instances: Object.freeze({
      completed: age('completed'),
      failed: age('failed'),
      cancelled: age('cancelled'),
      recurred: age('recurred'),
    }),
    sentEvents: age('sentEvents'),
    queuedMessages: age('queuedMessages'),
    seenEvents: age('seenEvents', '30d'),
    mostQueued,
  });
}
