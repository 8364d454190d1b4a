// What a workflow function is given: the durable verbs.
import type { ChannelMode, ReceivedMessage } from '../domain/channel.js';
import type { ReceivedEvent } from '../domain/cloud-event.js';
import type { Duration } from '../domain/duration.js';
import type { Logger } from '../ports/logger.js';
import type { ActivityContext } from './activity-context.js';
import type { Activity, AttemptOptions } from './define-activity.js';
import type { ChildHandle, ChildOptions, ChildWorkflow, EventMatch, ReceiveOptions, Sender } from './messaging.js';
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
  /** Only an event that has this. Others of the type that reach the instance are left for other waits. Default: any. */
  readonly match?: EventMatch;
  /** Checks, and may transform, the event's data. A violation rejects with ValidationError; the event counts as received. */
  readonly schema?: StandardSchema<unknown, TData>;
}

/** The input may be left out when the workflow takes none. */
export type ChildArguments<TGiven> = undefined extends TGiven
  ? [input?: TGiven, options?: ChildOptions]
  : [input: TGiven, options?: ChildOptions];

/**
 * The durable verbs. Their outcomes are recorded; when the workflow function runs again, after a crash or a wait, each call gets
 * its recorded outcome, in the recorded order. So between these calls the function must be deterministic: no clock, no
 * randomness, no input or output of its own (`now`, `random`, `uuid` and `run` are there for them). Promise.all, Promise.race and
 * Promise.allSettled over them are fine.
 *
 * `TGiven` is the input that the workflow takes, for `recur` alone: code that does not recur can leave it out.
 */
export interface WorkflowContext<TGiven = unknown> extends Sender {
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

  /**
   * From here on the instance takes what is published to the channel. The first subscription of all decides the channel's mode. Again, in the same mode: no effect.
   * Default mode: `broadcast`.
   * @throws ChannelModeConflictError
   */
  subscribe(channel: string, mode?: ChannelMode): Promise<void>;
  /** No more of it. What came and was not received is dropped, but for what came from the queue of a `competing` channel: that goes to others. */
  unsubscribe(channel: string): Promise<void>;
  /**
   * The oldest message of the channel that no earlier call received, or the next one.
   * @throws WaitTimeoutError, NotSubscribedError
   */
  receive<TData = unknown>(channel: string, options?: ReceiveOptions<TData>): Promise<ReceivedMessage<TData>>;

  /** Makes the instance a member until it leaves or ends. Twice is once. */
  joinGroup(group: string): Promise<void>;
  leaveGroup(group: string): Promise<void>;
  /** The ids of the group's members at this moment; recorded. */
  groupMembers(group: string): Promise<readonly string[]>;

  /**
   * Starts an instance of another workflow, once. It is cancelled when this instance is cancelled or fails while it still runs, also after
   * this one has recurred; when this one completes, it goes on. Whether its id belonged to somebody else shows at `result()`.
   * @throws ValidationError, PayloadTooLargeError, PayloadNotSerializableError for its input. Nothing was started then.
   */
  startChild<TInput, TOutput, TGiven>(
    workflow: ChildWorkflow<TInput, TOutput, TGiven>,
    ...rest: ChildArguments<TGiven>
  ): Promise<ChildHandle<TOutput>>;
  /** Starts it and waits for its end; this instance is put away meanwhile. @throws as `startChild` and {@link ChildHandle.result}. */
  runChild<TInput, TOutput, TGiven>(
    workflow: ChildWorkflow<TInput, TOutput, TGiven>,
    ...rest: ChildArguments<TGiven>
  ): Promise<TOutput>;

  /**
   * Begins anew with another input and an empty history, under the same id: for workflows that go on for ever. Subscriptions, memberships
   * and unread mail stay, and so do children that run, though no later part can ask for their results. Events of a type that was waited for without a `match` go on being kept for the instance until
   * it ends: one that goes on for ever and stops waiting for such a type should have waited with a `match`, which later parts forget. Nothing behind this call is run; what is under way is given up, so await it before: `return ctx.recur(next)`.
   * The part that ends here is kept as an instance of its own with status `recurred`; what it completed is not undone by what happens later.
   * @throws ValidationError, PayloadTooLargeError, PayloadNotSerializableError for the input.
   */
  recur(input: TGiven): Promise<never>;

  /** The time, milliseconds since 1970; recorded. */
  now(): number;
  /** A number from 0 up to but not including 1; recorded. */
  random(): number;
  /** A UUID; recorded. */
  uuid(): string;
}
