// What is to be undone when the code of a run fails or is cancelled, and how far that has come.
import type { CompensationFunction } from '../authoring/define-activity.js';
import type { StandardSchema } from '../authoring/standard-schema.js';
import type { RetryPolicy } from '../domain/retry-policy.js';
import type { Codec } from '../ports/codec.js';

/** How an activity is undone, as the code of this process says. */
export interface CompensationOrder {
  readonly execute: CompensationFunction<unknown, unknown>;
  /** The activity's input schema. */
  readonly input: StandardSchema<unknown, unknown> | undefined;
  readonly retry: RetryPolicy;
  /** Milliseconds for each attempt; null: no limit. */
  readonly timeoutMs: number | null;
}

/** An activity that completed and can be undone. */
export interface Compensable {
  readonly activityId: string;
  readonly activityName: string;
  /** Of the activity's call. */
  readonly position: number;
  /** JSON text of what was recorded: `{ activity, input, output }`. */
  readonly data: string;
  /** Null: the code of this process cannot. */
  readonly order: CompensationOrder | null;
}

/** What the instance ends as once everything is undone. */
export interface SagaDecision {
  readonly status: 'failed' | 'cancelled';
  /** JSON text; null unless failed. */
  readonly error: string | null;
}

/** A compensation that failed for good. */
export interface CompensationFailure {
  readonly activityId: string;
  readonly error: unknown;
}

/** collecting, while the code runs → undoing, the last completed first → done, when nothing is left. */
export class Saga {
  /** In the order in which they completed. Null: none can be undone, as for most runs. */
  #completed: Compensable[] | null = null;
  /** Null: none. */
  #failures: CompensationFailure[] | null = null;
  #decision: SagaDecision | null = null;

  add(completed: Compensable): void {
    this.#completed ??= [];
    this.#completed.push(completed);
  }

  get isEmpty(): boolean {
    return this.#completed === null || this.#completed.length === 0;
  }

  /** Null while the code runs. */
  get decision(): SagaDecision | null {
    return this.#decision;
  }

  begin(decision: SagaDecision): void {
    this.#decision = decision;
  }

  /** What is undone next; undefined when nothing is left. */
  takeNext(): Compensable | undefined {
    return this.#completed?.pop();
  }

  failed(failure: CompensationFailure): void {
    this.#failures ??= [];
    this.#failures.push(failure);
  }

  /** JSON text; undefined when none failed. */
  failures(codec: Codec): string | undefined {
    return this.#failures === null ? undefined : codec.encode(this.#failures);
  }
}
