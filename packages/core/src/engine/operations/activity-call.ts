// `run`: attempts of an activity until one counts, with durable delays between them.
import {
  ActivityFailedError,
  NestedCallError,
  PayloadNotSerializableError,
  PayloadTooLargeError,
  ValidationError,
} from '../../domain/errors.js';
import type { HistoryEntry, HistoryKind } from '../../domain/history.js';
import type { WaitingStatus } from '../../domain/instance.js';
import { isNonRetryable, retryDelayMs, type RetryPolicy } from '../../domain/retry-policy.js';
import { ActivityAttempt, type ActivityOrder, type AttemptEnd, type AttemptListener } from '../activity-attempt.js';
import type { Verb } from '../determinism.js';
import { encodeWithError } from '../encode-error.js';
import type { CompensationOrder } from '../saga.js';
import type { CallHost, DurableCall, Waiting } from './durable-call.js';

/** What an `activity_retry` entry holds. */
interface FailedAttempt {
  readonly attempt: number;
  /** When the first attempt failed, by the storage's clock. */
  readonly since: number;
  readonly error: unknown;
}

/** What an `activity_compensable` entry holds. */
export interface RecordedActivity {
  readonly activity: string;
  readonly input: unknown;
  readonly output: unknown;
}

/** How its entries are called, and what the instance waits for between two attempts. */
export interface ActivityWords {
  readonly verb: Verb;
  readonly completed: HistoryKind;
  readonly failed: HistoryKind;
  readonly retry: HistoryKind;
  readonly waiting: WaitingStatus;
}

/** What is run, and how it is recorded. */
export interface CallOrder extends ActivityOrder {
  readonly words: ActivityWords;
  /** What undoes it, when it completes. */
  readonly compensation?: CompensationOrder | undefined;
}

export const activityWords: ActivityWords = {
  verb: 'activity',
  completed: 'activity_completed',
  failed: 'activity_failed',
  retry: 'activity_retry',
  waiting: 'waiting_for_retry',
};

/** Of an activity that can be undone. */
export const compensableWords: ActivityWords = { ...activityWords, completed: 'activity_compensable' };

export const compensationWords: ActivityWords = {
  verb: 'compensation',
  completed: 'compensation_completed',
  failed: 'compensation_failed',
  retry: 'compensation_retry',
  waiting: 'compensating',
};

/** Of an attempt that has ended. */
interface AttemptFacts {
  readonly attempt: number;
  readonly durationMs: number;
}

/**
 * States: idle → working → (failed, another follows: waiting → working)* → over. Every failed attempt is an entry, so that the count
 * and the next due time survive this process, and a long delay costs nothing: the run is put away like in a sleep.
 */
export class ActivityCall implements DurableCall, AttemptListener {
  readonly verb: Verb;
  readonly position: number;
  readonly id: string;
  readonly promise: Promise<unknown>;
  isLive = false;
  readonly #host: CallHost;
  readonly #order: CallOrder;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  #failed: FailedAttempt | null = null;
  #waiting: Waiting | null = null;
  #attempt: ActivityAttempt | null = null;
  #abandoned = false;

  constructor(host: CallHost, order: CallOrder) {
    this.#host = host;
    this.#order = order;
    this.verb = order.words.verb;
    this.position = order.position;
    this.id = order.id;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get waiting(): Waiting | null {
    return this.#waiting;
  }

  apply(entry: HistoryEntry): boolean {
    const { codec } = this.#host.services;
    const { words } = this.#order;
    switch (entry.kind) {
      case words.retry:
        this.#failed = codec.decode(entry.data!) as FailedAttempt;
        this.#waiting = { status: words.waiting, dueAt: entry.dueAt };
        return false;
      case words.failed:
        // The loser of a race may reject with nobody listening; that is no fault of the process.
        this.promise.catch(ignore);
        this.#reject(codec.decode(entry.data!));
        return true;
      case 'activity_compensable':
        this.#resolve(this.#completedWithInput(entry.data!));
        return true;
      default:
        this.#resolve(codec.decode(entry.data!));
        return true;
    }
  }

  goLive(): void {
    // With an attempt failed before, the due time of the next one decides; the run looks after it.
    if (this.#waiting === null) this.#work();
  }

  expire(): void {
    this.#waiting = null;
    if (this.isLive) this.#work();
  }

  abandon(reason: Error): void {
    this.#abandoned = true;
    this.#waiting = null;
    this.#attempt?.abort(reason);
  }

  /** One attempt, from the durability of all that it depends on to the proposal of its outcome. */
  #work(): void {
    this.#host.workBegins();
    // A promise, and no call by whoever commits: the activity then runs in the async context of its own call (AsyncLocalStorage).
    this.#host.durable().then(
      () => this.#begin(),
      (error: unknown) => this.#refused(error),
    );
  }

  #begin(): void {
    const { services } = this.#host;
    if (this.#abandoned || this.#host.draining) {
      this.#host.workEnds();
      return;
    }
    const attempt = new ActivityAttempt(this.#host, this.#order, (this.#failed?.attempt ?? 0) + 1);
    this.#attempt = attempt;
    if (services.hooks.has('onActivityStart')) services.hooks.call('onActivityStart', this.#hookEvent(attempt.number));
    attempt.start(this);
  }

  /** What it depends on will never be durable. */
  #refused(error: unknown): void {
    if (!this.#abandoned) this.#host.broken(error as Error);
    this.#host.workEnds();
  }

  /** Called by its attempt. */
  attemptEnded(attempt: ActivityAttempt, end: AttemptEnd): void {
    this.#attempt = null;
    if (this.#abandoned) {
      // Behind the rollback: until then the run is not put away.
      if (end.ok && end.transaction !== undefined) void end.transaction.rollback().finally(() => this.#host.workEnds());
      else this.#host.workEnds();
      return;
    }
    const facts = { attempt: attempt.number, durationMs: this.#host.services.clock.monotonic() - attempt.began };
    try {
      if (end.ok) this.#succeed(end, facts);
      else this.#fail(end.error, facts);
    } catch (error) {
      // Code of the user has its part in this: getters of an error, `Symbol.hasInstance` of a class, a codec.
      this.#host.broken(error as Error);
    } finally {
      this.#host.workEnds();
    }
  }

  /** The output, of which the saga keeps a text of its own: the code may change what it is given. */
  #completedWithInput(data: string): unknown {
    const { id, position } = this;
    const { activity, output } = this.#host.services.codec.decode(data) as RecordedActivity;
    this.#host.compensable({ activityId: id, activityName: activity, position, data, order: this.#order.compensation ?? null });
    return output;
  }

  #succeed({ data, transaction, effects }: AttemptEnd & { readonly ok: true }, facts: AttemptFacts): void {
    const { hooks } = this.#host.services;
    this.#host.propose({
      call: this,
      kind: this.#order.words.completed,
      data,
      dueAt: null,
      extras: effects === undefined ? undefined : { effects },
      transaction,
      refused: transaction === undefined ? undefined : (error) => this.#fail(error, facts),
      again: transaction === undefined ? undefined : () => this.#work(),
      committed: hooks.has('onActivityComplete')
        ? () => hooks.call('onActivityComplete', { ...this.#hookEvent(facts.attempt), durationMs: facts.durationMs })
        : undefined,
    });
  }

  #fail(error: unknown, facts: AttemptFacts): void {
    const { services } = this.#host;
    const { retry } = this.#order;
    const now = services.storageTime.now();
    const since = this.#failed?.since ?? now;
    const delayMs = retryDelayMs(retry, facts.attempt, services.entropy.random());
    const why = isPointless(error, retry)
      ? 'terminal'
      : facts.attempt >= retry.maxAttempts
        ? 'attempts'
        : now + delayMs - since > retry.maxDurationMs
          ? 'duration'
          : null;
    const committed = (): void =>
      services.hooks.call('onActivityFail', {
        ...this.#hookEvent(facts.attempt),
        durationMs: facts.durationMs,
        error,
        final: why !== null,
      });
    if (why === null) {
      const failed: FailedAttempt = { attempt: facts.attempt, since, error };
      const dueAt = services.storageTime.ahead() + delayMs;
      this.#host.propose({
        call: this,
        kind: this.#order.words.retry,
        data: this.#encode(error, (shown) => ({ ...failed, error: shown })),
        dueAt,
        committed,
      });
      return;
    }
    const isBare = why === 'terminal' || (why === 'attempts' && retry.maxAttempts === 1);
    const thrown = (cause: unknown): unknown =>
      isBare
        ? cause
        : new ActivityFailedError({
            activityId: this.id,
            attempts: facts.attempt,
            cause,
            ...(why === 'duration'
              ? { why: `no attempt may start later than ${retry.maxDurationMs} ms after the first failure` }
              : {}),
          });
    this.#host.propose({ call: this, kind: this.#order.words.failed, data: this.#encode(error, thrown), dueAt: null, committed });
  }

  #encode(error: unknown, around: (error: unknown) => unknown): string {
    return encodeWithError(error, around, { what: `the error of activity ${this.id}`, limits: this.#host.services });
  }

  #hookEvent(attempt: number) {
    const { instanceId, workflowName } = this.#host;
    return { instanceId, workflowName, activityId: this.id, activityName: this.#order.name, attempt };
  }
}

function ignore(): void {
  // Whoever cares has a handler of his own.
}

/** Whether the same code with the same input would fail the same way. */
function isPointless(error: unknown, retry: RetryPolicy): boolean {
  return (
    isNonRetryable(error, retry) ||
    error instanceof PayloadNotSerializableError ||
    error instanceof PayloadTooLargeError ||
    error instanceof ValidationError ||
    error instanceof NestedCallError
  );
}
