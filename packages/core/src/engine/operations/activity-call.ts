// `run`: attempts of an activity until one counts, with durable delays between them.
import type { ActivityContext } from '../../authoring/activity-context.js';
import type { StandardSchema } from '../../authoring/standard-schema.js';
import {
  ActivityFailedError,
  NestedCallError,
  PayloadNotSerializableError,
  PayloadTooLargeError,
  ValidationError,
} from '../../domain/errors.js';
import type { HistoryEntry } from '../../domain/history.js';
import { isNonRetryable, retryDelayMs, type RetryPolicy } from '../../domain/retry-policy.js';
import { ActivityAttempt } from '../activity-attempt.js';
import type { CallIdentity } from '../call-ids.js';
import { encodeWithError } from '../encode-error.js';
import type { CallHost, DurableCall, Waiting } from './durable-call.js';

/** What to run. */
export interface ActivityOrder extends CallIdentity {
  readonly name: string;
  /** The function with its input already in it. */
  readonly execute: (ctx: ActivityContext) => unknown;
  readonly output: StandardSchema<unknown, unknown> | undefined;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
}

/** What an `activity_retry` entry holds. */
interface FailedAttempt {
  readonly attempt: number;
  /** When the first attempt failed, by the storage's clock. */
  readonly since: number;
  readonly error: unknown;
}

/**
 * States: idle → working → (failed, another follows: waiting → working)* → over. Every failed attempt is an entry, so that the count
 * and the next due time survive this process, and a long delay costs nothing: the run is put away like in a sleep.
 */
export class ActivityCall implements DurableCall {
  readonly verb = 'activity';
  readonly position: number;
  readonly id: string;
  readonly promise: Promise<unknown>;
  readonly #host: CallHost;
  readonly #order: ActivityOrder;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  #failed: FailedAttempt | null = null;
  #waiting: Waiting | null = null;
  #attempt: ActivityAttempt | null = null;
  #live = false;
  #abandoned = false;

  constructor(host: CallHost, order: ActivityOrder) {
    this.#host = host;
    this.#order = order;
    this.position = order.position;
    this.id = order.id;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A loser of a race may reject with nobody listening; that is no fault of the process.
    this.promise.catch(() => undefined);
  }

  get waiting(): Waiting | null {
    return this.#waiting;
  }

  apply(entry: HistoryEntry): boolean {
    const { codec } = this.#host.services;
    switch (entry.kind) {
      case 'activity_retry':
        this.#failed = codec.decode(entry.data!) as FailedAttempt;
        this.#waiting = { status: 'waiting_for_retry', dueAt: entry.dueAt };
        return false;
      case 'activity_completed':
        this.#resolve(codec.decode(entry.data!));
        return true;
      default:
        this.#reject(codec.decode(entry.data!));
        return true;
    }
  }

  goLive(): void {
    this.#live = true;
    // With an attempt failed before, the due time of the next one decides; the run looks after it.
    if (this.#waiting === null) void this.#work();
  }

  expire(): void {
    this.#waiting = null;
    if (this.#live) void this.#work();
  }

  abandon(reason: Error): void {
    this.#abandoned = true;
    this.#waiting = null;
    this.#attempt?.abort(reason);
  }

  /** One attempt, from the durability of all that it depends on to the proposal of its outcome. Never rejects. */
  async #work(): Promise<void> {
    const { services } = this.#host;
    this.#host.workBegins();
    try {
      await this.#host.durable();
      if (this.#abandoned || this.#host.draining) return;
      const attempt = (this.#failed?.attempt ?? 0) + 1;
      const began = services.clock.monotonic();
      const { instanceId, workflowName } = this.#host;
      this.#attempt = new ActivityAttempt(
        {
          instanceId,
          workflowName,
          activityId: this.id,
          activityName: this.#order.name,
          attempt,
          timeoutMs: this.#order.timeoutMs,
          execute: this.#order.execute,
          output: this.#order.output,
        },
        services,
      );
      if (services.hooks.has('onActivityStart')) services.hooks.call('onActivityStart', this.#hookEvent(attempt));
      const end = await this.#attempt.run();
      this.#attempt = null;
      const facts = { attempt, durationMs: services.clock.monotonic() - began };
      if (!end.ok) {
        if (!this.#abandoned) this.#fail(end.error, facts);
      } else if (this.#abandoned) {
        await end.transaction?.rollback();
      } else {
        this.#host.propose({
          call: this,
          kind: 'activity_completed',
          data: end.data,
          dueAt: null,
          ...(end.transaction === undefined ? {} : { transaction: end.transaction }),
          refused: (error) => this.#fail(error, facts),
          ...(services.hooks.has('onActivityComplete')
            ? {
                committed: () =>
                  services.hooks.call('onActivityComplete', { ...this.#hookEvent(attempt), durationMs: facts.durationMs }),
              }
            : {}),
        });
      }
    } catch (error) {
      // What it depends on will never be durable.
      if (!this.#abandoned) this.#host.broken(error as Error);
    } finally {
      this.#host.workEnds();
    }
  }

  #fail(error: unknown, facts: { readonly attempt: number; readonly durationMs: number }): void {
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
        kind: 'activity_retry',
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
    this.#host.propose({ call: this, kind: 'activity_failed', data: this.#encode(error, thrown), dueAt: null, committed });
  }

  #encode(error: unknown, around: (error: unknown) => unknown): string {
    return encodeWithError(error, around, { what: `the error of activity ${this.id}`, limits: this.#host.services });
  }

  #hookEvent(attempt: number) {
    const { instanceId, workflowName } = this.#host;
    return { instanceId, workflowName, activityId: this.id, activityName: this.#order.name, attempt };
  }
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
