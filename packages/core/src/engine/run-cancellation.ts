// What was asked for about the end of a run, and what is given up for it: its signal, and the calls that are open.
import { NotRunningError, WorkflowCancelledError } from '../domain/errors.js';
import { LazyAbort } from './lazy-abort.js';
import type { OpenCalls } from './open-calls.js';
import type { RunReplay } from './run-replay.js';
import type { Saga } from './saga.js';

export interface RunCancellationParts {
  readonly instanceId: string;
  readonly calls: OpenCalls;
  readonly saga: Saga;
  readonly replay: RunReplay;
}

export class RunCancellation {
  readonly #parts: RunCancellationParts;
  /** Made when somebody looks at its signal, or when it is aborted. */
  #abort: LazyAbort | null = null;
  #requested: { readonly reason: string | null } | null = null;

  constructor(parts: RunCancellationParts) {
    this.#parts = parts;
  }

  /** Null: none, as far as it is known here. */
  get requested(): { readonly reason: string | null } | null {
    return this.#requested;
  }

  /** For the code. */
  get signal(): AbortSignal {
    return this.#lazyAbort().signal;
  }

  /**
   * What is under way is given up at once. The code is told when the end is decided: what it recorded behind the signal, no replay would
   * have before the decision. While it repeats what it did nothing is given up: what it is to have undone must come to light first.
   */
  request(cancel: { readonly reason: string | null }): void {
    if (this.#requested !== null) return;
    this.#requested = cancel;
    const { replay, saga } = this.#parts;
    if (replay.next === undefined && saga.decision === null) this.abandonCalls(() => this.#why());
  }

  /** The code is over. Outcomes that have come already are not given up: what was done may have to be undone. */
  abandonCode(): void {
    if (this.#requested !== null) this.#lazyAbort().abort(this.#why());
    this.abandonCalls(() => this.#why());
  }

  /** @param why is asked when there is a call: errors are dear, and most runs end with nothing open. */
  abandonCalls(why: () => Error): void {
    const { calls } = this.#parts;
    if (calls.isEmpty) return;
    const reason = why();
    for (const call of calls) call.abandon(reason);
  }

  /** The process lets go of the run. */
  drop(reason: Error): void {
    this.#lazyAbort().abort(reason);
  }

  #lazyAbort(): LazyAbort {
    this.#abort ??= new LazyAbort();
    return this.#abort;
  }

  #why(): Error {
    const { instanceId } = this.#parts;
    return this.#requested === null
      ? new NotRunningError(`the code of instance ${JSON.stringify(instanceId)} has failed`)
      : new WorkflowCancelledError({ instanceId, reason: this.#requested.reason });
  }
}
