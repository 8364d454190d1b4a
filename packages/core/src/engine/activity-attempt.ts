// One attempt of an activity: the function, its timeout, its abort, its transaction.
import type { ActivityContext } from '../authoring/activity-context.js';
import { validate, type StandardSchema } from '../authoring/standard-schema.js';
import type { OutboxEventInput, PublishOptions, SendOptions } from '../authoring/messaging.js';
import { ActivityTimeoutError, NotRunningError, TransactionError } from '../domain/errors.js';
import type { RetryPolicy } from '../domain/retry-policy.js';
import { transactionSlot, type ActivityTransaction, type TransactionSlot } from '../ports/activity-transaction.js';
import type { Logger } from '../ports/logger.js';
import type { CallIdentity } from './call-ids.js';
import type { EffectFacts } from './entry-extras.js';
import { LazyAbort } from './lazy-abort.js';
import { insideActivity } from './nested-calls.js';
import { checkPublish, checkSendTo, makeMessage, makeOutboxEvent, type MessageOrder } from './outgoing.js';
import { encodePayload } from './payload.js';
import { scopedLogger } from './scoped-logger.js';
import type { RunServices } from './run-services.js';

/** How an attempt ended. With `transaction` set, the output counts only once that is committed. */
export type AttemptEnd =
  | {
      readonly ok: true;
      readonly data: string;
      readonly transaction: ActivityTransaction | undefined;
      /** What it sent. */
      readonly effects: readonly EffectFacts[] | undefined;
    }
  | { readonly ok: false; readonly error: unknown };

/** What to run. */
export interface ActivityOrder extends CallIdentity {
  readonly name: string;
  /** The function with its input already in it. */
  readonly execute: (ctx: ActivityContext) => unknown;
  readonly output: StandardSchema<unknown, unknown> | undefined;
  readonly retry: RetryPolicy;
  /** Milliseconds for each attempt; null: no limit. */
  readonly timeoutMs: number | null;
  /** What is recorded in place of the output, with the output in it. Default: the output. */
  readonly recorded?: ((output: unknown) => unknown) | undefined;
}

/** For whom an attempt is made. */
export interface AttemptHost {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly services: RunServices;
}

/** Who is told of an end. */
export interface AttemptListener {
  attemptEnded(attempt: ActivityAttempt, end: AttemptEnd): void;
}

/** From its start to its end, once. */
export class ActivityAttempt {
  /** From 1. */
  readonly number: number;
  /** By the monotonic clock, in milliseconds. */
  readonly began: number;
  readonly #host: AttemptHost;
  readonly #order: ActivityOrder;
  /** Made when somebody looks at its signal, or when it is aborted. */
  #abort: LazyAbort | undefined;
  /** Until it ended. */
  #listener: AttemptListener | undefined;
  #cancelTimeout: (() => void) | undefined;
  #transaction: Promise<ActivityTransaction> | undefined;
  #effects: EffectFacts[] | undefined;

  constructor(host: AttemptHost, order: ActivityOrder, number: number) {
    this.#host = host;
    this.#order = order;
    this.number = number;
    this.began = host.services.clock.monotonic();
  }

  /**
   * Runs the function. Tells when it ended or was aborted, whichever comes first, once and not within this call: a function that ignores
   * its signal goes on in the background, but what it returns is not recorded and its transaction is rolled back already.
   */
  start(listener: AttemptListener): void {
    this.#listener = listener;
    const { timeoutMs, id, execute } = this.#order;
    const { clock } = this.#host.services;
    if (timeoutMs !== null) {
      const expire = (): void => this.abort(new ActivityTimeoutError({ activityId: id, timeoutMs }));
      this.#cancelTimeout = clock.schedule(timeoutMs, expire, { keepAlive: true });
    }
    const context = new AttemptContext(this.#host, this.#order, this);
    try {
      Promise.resolve(insideActivity(id, execute, context)).then(
        (value) => this.#returned(value),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Ends the attempt from outside; without effect when it ended. */
  abort(reason: Error): void {
    if (this.#isOver) return;
    this.#lazyAbort().abort(reason);
    this.#failed(reason);
  }

  #returned(value: unknown): void {
    if (this.#listener === undefined) return;
    if (this.#order.output === undefined && this.#transaction === undefined) {
      try {
        this.#end({ ok: true, data: this.#encode(value), transaction: undefined, effects: this.#effects });
      } catch (error) {
        this.#failed(error);
      }
    } else this.#finish(value).catch((error: unknown) => this.#failed(error));
  }

  async #finish(value: unknown): Promise<void> {
    const { output, id } = this.#order;
    const valid = output === undefined ? value : await validate(output, value, `output of activity ${id}`);
    const data = this.#encode(valid);
    this.#end({ ok: true, data, transaction: await this.#transaction, effects: this.#effects });
  }

  #encode(value: unknown): string {
    const { id, recorded } = this.#order;
    return encodePayload(recorded === undefined ? value : recorded(value), `the output of activity ${id}`, this.#host.services);
  }

  /** From here on nothing of the function counts. The end is told when its transaction is over, whose locks others may need. */
  #failed(error: unknown): void {
    const listener = this.#takeListener();
    if (listener !== undefined) void this.#rollback().then(() => listener.attemptEnded(this, { ok: false, error }));
  }

  #end(end: AttemptEnd): void {
    this.#takeListener()?.attemptEnded(this, end);
  }

  #takeListener(): AttemptListener | undefined {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#cancelTimeout?.();
    return listener;
  }

  get #isOver(): boolean {
    return this.#listener === undefined || this.#abort?.aborted === true;
  }

  #lazyAbort(): LazyAbort {
    this.#abort ??= new LazyAbort();
    return this.#abort;
  }

  async #rollback(): Promise<void> {
    const transaction = await this.#transaction?.catch(() => undefined);
    await transaction?.rollback();
  }

  /** For the function, when it first looks. */
  get signal(): AbortSignal {
    return this.#lazyAbort().signal;
  }

  /** For the function: to be sent when it succeeds. @throws NotRunningError when the attempt is over: nobody would ever send it. */
  send(effect: EffectFacts): void {
    if (this.#isOver) {
      throw new NotRunningError(`attempt ${this.number} of activity ${this.#order.id} is over; what it sends now would be lost`);
    }
    this.#effects ??= [];
    this.#effects.push(effect);
  }

  /** For the function: its own transaction, begun at the first call. */
  open(): Promise<ActivityTransaction> {
    if (this.#isOver) {
      return Promise.reject(new TransactionError(`attempt ${this.number} of activity ${this.#order.id} is over`));
    }
    this.#transaction ??= this.#host.services.transactions.begin({ signal: this.signal });
    return this.#transaction;
  }
}

/** Everything that costs something is made when it is first looked at: most activities look at nothing. */
class AttemptContext implements ActivityContext {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly activityId: string;
  readonly attempt: number;
  readonly #services: RunServices;
  readonly #attempt: ActivityAttempt;
  #logger: Logger | undefined;

  constructor(host: AttemptHost, order: ActivityOrder, attempt: ActivityAttempt) {
    this.instanceId = host.instanceId;
    this.workflowName = host.workflowName;
    this.activityId = order.id;
    this.attempt = attempt.number;
    this.#services = host.services;
    this.#attempt = attempt;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get logger(): Logger {
    const { instanceId, workflowName, activityId, attempt } = this;
    this.#logger ??= scopedLogger(this.#services.logger, { instanceId, workflowName, activityId, attempt });
    return this.#logger;
  }

  async publish(channel: string, data: unknown, options?: PublishOptions): Promise<string> {
    return this.#send(checkPublish(channel, data, options));
  }

  async sendTo(instanceId: string, channel: string, data: unknown, options?: SendOptions): Promise<string> {
    return this.#send(checkSendTo({ instanceId, channel }, data, options));
  }

  async sendEvent(input: OutboxEventInput): Promise<string> {
    const event = makeOutboxEvent(input, this.#services);
    this.#attempt.send({ type: 'event', event });
    return event.eventId;
  }

  #send(order: Omit<MessageOrder, 'sender'>): string {
    const message = makeMessage({ ...order, sender: this.instanceId }, this.#services);
    this.#attempt.send({ type: 'message', message });
    return message.messageId;
  }

  get [transactionSlot](): TransactionSlot {
    return { storageKind: this.#services.storageKind, open: () => this.#attempt.open() };
  }
}
