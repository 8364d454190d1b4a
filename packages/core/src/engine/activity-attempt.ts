// One attempt of an activity: the function, its timeout, its abort, its transaction.
import type { ActivityContext } from '../authoring/activity-context.js';
import { validate, type StandardSchema } from '../authoring/standard-schema.js';
import { ActivityTimeoutError, TransactionError } from '../domain/errors.js';
import { transactionSlot, type ActivityTransaction, type TransactionSlot } from '../ports/activity-transaction.js';
import type { Logger } from '../ports/logger.js';
import { LazyAbort } from './lazy-abort.js';
import { insideActivity } from './nested-calls.js';
import { encodePayload } from './payload.js';
import { scopedLogger } from './scoped-logger.js';
import type { RunServices } from './run-services.js';

/** How an attempt ended. With `transaction` set, the output counts only once that is committed. */
export type AttemptEnd =
  | { readonly ok: true; readonly data: string; readonly transaction: ActivityTransaction | undefined }
  | { readonly ok: false; readonly error: unknown };

export interface AttemptOrder {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly activityId: string;
  readonly activityName: string;
  readonly attempt: number;
  /** Milliseconds; null: no limit. */
  readonly timeoutMs: number | null;
  readonly execute: (ctx: ActivityContext) => unknown;
  readonly output: StandardSchema<unknown, unknown> | undefined;
}

/** From its start to its end, once. */
export class ActivityAttempt {
  readonly #order: AttemptOrder;
  readonly #services: RunServices;
  readonly #abort = new LazyAbort();
  #resolveAborted: ((end: AttemptEnd) => void) | undefined;
  #transaction: Promise<ActivityTransaction> | undefined;
  #over = false;

  constructor(order: AttemptOrder, services: RunServices) {
    this.#order = order;
    this.#services = services;
  }

  /**
   * Runs the function. Resolves when it ended or was aborted, whichever comes first, and never rejects: a function that ignores
   * its signal goes on in the background, but what it returns is not recorded and its transaction is rolled back already.
   */
  async run(): Promise<AttemptEnd> {
    const { timeoutMs, activityId } = this.#order;
    let cancelTimeout: (() => void) | undefined;
    const end = await new Promise<AttemptEnd>((resolve) => {
      this.#resolveAborted = resolve;
      if (timeoutMs !== null) {
        const expire = (): void => this.abort(new ActivityTimeoutError({ activityId, timeoutMs }));
        cancelTimeout = this.#services.clock.schedule(timeoutMs, expire, { keepAlive: true });
      }
      void this.#execute().then(resolve);
    });
    cancelTimeout?.();
    this.#over = true;
    if (!end.ok) await this.#rollback();
    return end;
  }

  /** Ends the attempt from outside; without effect when it ended. */
  abort(reason: Error): void {
    if (this.#over || this.#abort.aborted) return;
    this.#abort.abort(reason);
    this.#resolveAborted?.({ ok: false, error: reason });
  }

  async #execute(): Promise<AttemptEnd> {
    try {
      const context = new AttemptContext(this.#order, this.#services, { abort: this.#abort, open: () => this.#open() });
      let value = await insideActivity(this.#order.activityId, () => this.#order.execute(context));
      if (this.#order.output !== undefined)
        value = await validate(this.#order.output, value, `output of activity ${this.#order.activityId}`);
      const data = encodePayload(value, `the output of activity ${this.#order.activityId}`, this.#services);
      return { ok: true, data, transaction: await this.#transaction };
    } catch (error) {
      return { ok: false, error };
    }
  }

  async #rollback(): Promise<void> {
    const transaction = await this.#transaction?.catch(() => undefined);
    await transaction?.rollback();
  }

  #open(): Promise<ActivityTransaction> {
    if (this.#over || this.#abort.aborted) {
      return Promise.reject(new TransactionError(`attempt ${this.#order.attempt} of activity ${this.#order.activityId} is over`));
    }
    this.#transaction ??= this.#services.transactions.begin({ signal: this.#abort.signal });
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
  readonly #abort: LazyAbort;
  readonly #open: () => Promise<ActivityTransaction>;
  #logger: Logger | undefined;

  constructor(
    order: AttemptOrder,
    services: RunServices,
    parts: { readonly abort: LazyAbort; readonly open: () => Promise<ActivityTransaction> },
  ) {
    this.instanceId = order.instanceId;
    this.workflowName = order.workflowName;
    this.activityId = order.activityId;
    this.attempt = order.attempt;
    this.#services = services;
    this.#abort = parts.abort;
    this.#open = parts.open;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get logger(): Logger {
    const { instanceId, workflowName, activityId, attempt } = this;
    this.#logger ??= scopedLogger(this.#services.logger, { instanceId, workflowName, activityId, attempt });
    return this.#logger;
  }

  get [transactionSlot](): TransactionSlot {
    return { storageKind: this.#services.storageKind, open: this.#open };
  }
}
