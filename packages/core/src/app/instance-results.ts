// Waits for the end of an instance and makes of it what `result()` comes to.
import { timeLimitMs, type Duration } from '../domain/duration.js';
import { InstanceNotFoundError, ResultTimeoutError, WorkflowCancelledError, WorkflowFailedError } from '../domain/errors.js';
import { isFinal, type InstanceStatus } from '../domain/instance.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { FinishedInstance } from '../ports/instance-store.js';
import type { Storage } from '../ports/storage.js';
import { onAbort } from '../scheduler/on-abort.js';
import type { Scheduler } from '../scheduler/scheduler.js';

export interface InstanceResultsParts {
  readonly storage: Storage;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly codec: Codec;
  /** Aborts when the app stops. */
  readonly stopSignal: AbortSignal;
}

export interface ResultRequest {
  /** Undefined: none. */
  readonly timeout: Duration | undefined;
  /** This app has started the instance itself, or found it there. */
  readonly known: boolean;
}

export class InstanceResults {
  readonly #parts: InstanceResultsParts;

  constructor(parts: InstanceResultsParts) {
    this.#parts = parts;
  }

  /**
   * The output of an instance of any process.
   * @throws WorkflowFailedError, WorkflowCancelledError, InstanceNotFoundError, ResultTimeoutError; NotRunningError when the app stops.
   */
  result(instanceId: string, { timeout, known }: ResultRequest): Promise<unknown> {
    const { scheduler } = this.#parts;
    // What runs here is there, and has not ended. Hundreds are waited for at once: nothing but what it takes is kept for each.
    if (timeout === undefined && known && scheduler.runs(instanceId)) {
      return scheduler.watcher.wait(instanceId).then(this.#outcome);
    }
    return this.#within(timeout, { instanceId, known });
  }

  async #within(
    timeout: Duration | undefined,
    { instanceId, known }: { readonly instanceId: string; readonly known: boolean },
  ): Promise<unknown> {
    const { clock, stopSignal } = this.#parts;
    const timeoutMs = timeout === undefined ? null : timeLimitMs(timeout, 'result: timeout');
    if (timeoutMs === null) return await this.#end(instanceId, known);
    const giveUp = new AbortController();
    const expire = (): void => giveUp.abort(new ResultTimeoutError({ instanceId, timeoutMs }));
    const cancel = clock.schedule(timeoutMs, expire, { keepAlive: true });
    // Not AbortSignal.any: the signal of the stop, which lives as long as the app, would keep each one that was made of it.
    const forget = onAbort(stopSignal, () => giveUp.abort(stopSignal.reason));
    try {
      return await this.#end(instanceId, known, giveUp.signal);
    } finally {
      cancel();
      forget();
    }
  }

  async #end(instanceId: string, known: boolean, signal?: AbortSignal): Promise<unknown> {
    const { storage, scheduler, stopSignal } = this.#parts;
    // What runs here is there. Anything else may have been deleted, also what this app has started: nobody would ever tell of its end.
    if (!known || !scheduler.runs(instanceId)) {
      const record = await scheduler.health.keepTrying(() => storage.instances.get(instanceId), signal ?? stopSignal);
      if (record === undefined) throw new InstanceNotFoundError({ instanceId });
      const { status, output, error, cancelReason, continuedAs } = record;
      // A part that is over: the instance's end is that of its last part, which has the id for good.
      if (continuedAs !== null) return await this.#end(continuedAs, false, signal);
      if (isFinal(status)) return this.#outcome({ instanceId, status, output, error, cancelReason, continuedAs });
    }
    return this.#outcome(await scheduler.watcher.wait(instanceId, signal));
  }

  readonly #outcome = (finished: FinishedInstance): unknown => {
    const { instanceId, output, error, cancelReason } = finished;
    const { codec } = this.#parts;
    const status: InstanceStatus = finished.status;
    if (status === 'completed') return codec.decode(output!);
    if (status === 'cancelled') throw new WorkflowCancelledError({ instanceId, reason: cancelReason });
    throw new WorkflowFailedError({ instanceId, cause: codec.decode(error!) });
  };
}
