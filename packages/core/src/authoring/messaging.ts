// Options of the verbs by which workflows and activities talk to others.
import type { MessageMetadata } from '../domain/channel.js';
import type { CloudEventInput } from '../domain/cloud-event.js';
import type { Duration } from '../domain/duration.js';
import type { JsonScalar } from '../domain/json-path.js';
import type { StandardSchema } from './standard-schema.js';

export interface SendOptions {
  /** Goes with the message, for receivers and tools to look at. Default: nothing. */
  readonly metadata?: MessageMetadata;
}

export interface PublishOptions extends SendOptions {
  /**
   * Only to the members of this group, in whatever mode the channel is. It is kept for those that have not subscribed to the channel yet, and they `receive` it once
   * they have. Default: to the channel's subscribers.
   */
  readonly group?: string;
}

export interface ReceiveOptions<TData> {
  /** How long to wait; then the call rejects with WaitTimeoutError. Default, and `Infinity`: for ever. */
  readonly timeout?: Duration;
  /** Checks, and may transform, the message's data. A violation rejects with ValidationError; the message counts as received. */
  readonly schema?: StandardSchema<unknown, TData>;
}

/**
 * What an event must have at these places, all of them: `{ subject: 'order-42' }`, `{ 'data.order.id': 42 }`. Each begins with a member of
 * the event (see `ReceivedEvent`). Types count: `42` is not `'42'`.
 * The first place is compared in the database, so that an event wakes only those that it fits: name the most telling one first.
 */
export type EventMatch = Readonly<Record<string, JsonScalar>>;

/** The verbs that a workflow's context and an activity's have in common. */
export interface Sender {
  /**
   * Sends to all who are subscribed to the channel (or to one of them, in a `competing` one). In a workflow it takes effect once, however
   * often the code is replayed; in an activity together with its result, or not at all.
   * @returns the message's id.
   */
  publish(channel: string, data: unknown, options?: PublishOptions): Promise<string>;
  /**
   * Sends to one instance, which keeps it until it has subscribed to the channel, in any mode, and calls `receive`. To one that does not exist or has ended it is
   * lost, with a warning in the log.
   * @returns the message's id.
   */
  sendTo(instanceId: string, channel: string, data: unknown, options?: SendOptions): Promise<string>;
  /**
   * Writes an event into the outbox, from where it is sent by whatever process has a sender (option `outbox`), at least once, in order for each source
   * and subject. A second one with an id that is in the outbox is not written.
   * @returns the event's id.
   */
  sendEvent(event: OutboxEventInput): Promise<string>;
}

/** An event for the outbox. A `subject` takes at most 255 characters. */
export type OutboxEventInput = Omit<CloudEventInput, 'instanceId'>;

/** What `defineWorkflow` returns, as far as starting it goes. */
export interface ChildWorkflow<TInput, TOutput, TGiven = TInput> {
  readonly type: 'workflow';
  readonly name: string;
  readonly execute: (ctx: never, input: TInput) => TOutput | Promise<TOutput>;
  readonly options: { readonly input?: StandardSchema<TGiven, TInput> };
}

export interface ChildOptions {
  /** Default: the parent's id, a slash, and the id of the call (`order-42/billing:1`). */
  readonly instanceId?: string;
}

/** A child that was started. */
export interface ChildHandle<TOutput> {
  readonly instanceId: string;
  /**
   * Waits for its end, durably. Again: the same promise.
   * @throws WorkflowFailedError with its error as `cause`, WorkflowCancelledError, InstanceConflictError when its id belongs to an instance that this call
   * did not start.
   */
  result(): Promise<TOutput>;
}
