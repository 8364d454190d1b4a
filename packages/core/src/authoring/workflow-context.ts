// What a workflow function is given: the durable verbs.
import type { ReceivedEvent } from '../domain/cloud-event.js';
import type { Duration } from '../domain/duration.js';
import type { Logger } from '../ports/logger.js';
import type { ActivityContext } from './activity-context.js';
import type { Activity, AttemptOptions } from './define-activity.js';
import type { StandardSchema } from './standard-schema.js';

/** Options of one call of `ctx.run`. */
export interface RunOptions extends AttemptOptions {
  /**
   * The id of this call in the history, instead of the name with a number. Lets parallel calls be told apart by what they are
   * for (`charge-${item.sku}`). Used twice in one run: DuplicateCallIdError.
   */
  readonly id?: string;
}

/** The input may be left out when the activity takes none. */
export type RunArguments<TGiven> = undefined extends TGiven
  ? [input?: TGiven, options?: RunOptions]
  : [input: TGiven, options?: RunOptions];

export interface WaitEventOptions<TData> {
  /** How long to wait; then the call rejects with WaitTimeoutError. Default, and `Infinity`: for ever. */
  readonly timeout?: Duration;
  /** Checks, and may transform, the event's data. A violation rejects with ValidationError; the event counts as received. */
  readonly schema?: StandardSchema<unknown, TData>;
}

/**
 * The durable verbs. Their outcomes are recorded; when the workflow function runs again, after a crash or a wait, each call gets
 * its recorded outcome, in the recorded order. So between these calls the function must be deterministic: no clock, no
 * randomness, no input or output of its own (`now`, `random`, `uuid` and `run` are there for them). Promise.all, Promise.race and
 * Promise.allSettled over them are fine.
 */
export interface WorkflowContext {
  readonly instanceId: string;
  readonly workflowName: string;
  /**
   * True while the code does again what it did before: recorded outcomes are handed out, or it has not come to rest behind the last of
   * them. For special cases only: code that branches on it is not deterministic.
   */
  readonly isReplaying: boolean;
  /** Aborts when the instance is cancelled, and when the process must let go of it. Its reason says which. */
  readonly signal: AbortSignal;
  /** Silent while replaying, so that each line is written once. */
  readonly logger: Logger;

  /**
   * Runs a declared activity and gives its recorded output. A failed attempt is tried again by the retry policy.
   * @throws ActivityFailedError when all attempts failed (with `cause`), or the activity's own error when it is terminal or the
   * policy allows one attempt only.
   */
  run<TInput, TOutput, TGiven>(activity: Activity<TInput, TOutput, TGiven>, ...rest: RunArguments<TGiven>): Promise<TOutput>;
  /** Runs a function in place as an activity of that name. */
  run<TOutput>(
    name: string,
    execute: (ctx: ActivityContext) => TOutput | Promise<TOutput>,
    options?: RunOptions,
  ): Promise<TOutput>;

  /** Sleeps at least so long, durably: minutes or years, in no process's memory. */
  sleep(duration: Duration): Promise<void>;
  /** Sleeps until that moment; one that is past is no wait. */
  sleepUntil(moment: Date | number): Promise<void>;

  /**
   * Waits for the next event of the type that no earlier call of this run received. From the first call on, the instance keeps what
   * comes of this type; events sent to this instance alone (`instanceId`) are kept from its start on.
   * @throws WaitTimeoutError
   */
  waitEvent<TData = unknown>(type: string, options?: WaitEventOptions<TData>): Promise<ReceivedEvent<TData>>;

  /** The time, milliseconds since 1970; recorded. */
  now(): number;
  /** A number from 0 up to but not including 1; recorded. */
  random(): number;
  /** A UUID; recorded. */
  uuid(): string;
}
