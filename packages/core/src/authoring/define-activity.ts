// How activities are declared.
import type { Duration } from '../domain/duration.js';
import { timeLimitMs } from '../domain/duration.js';
import { ConfigurationError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { defaultRetryPolicy, resolveRetryPolicy, type RetryOptions } from '../domain/retry-policy.js';
import type { ActivityContext } from './activity-context.js';
import { checkSchema, type StandardSchema } from './standard-schema.js';

/** What an activity does: ordinary code with effects; it may run more than once (at least once, unless it uses a transaction). */
export type ActivityFunction<TInput, TOutput> = (ctx: ActivityContext, input: TInput) => TOutput | Promise<TOutput>;

/** Options of an activity that a single call may override. */
export interface AttemptOptions {
  /** Laid over the app's `retry`. */
  readonly retry?: RetryOptions;
  /** How long one attempt may take. Default, and `Infinity`: no limit. */
  readonly timeout?: Duration;
}

/** Undoes what an activity did. Like an activity it may run more than once, unless it uses a transaction. */
export type CompensationFunction<TInput, TOutput> = (ctx: ActivityContext, input: TInput, output: TOutput) => unknown;

/** A compensation with a policy of its own. */
export interface Compensation<TInput, TOutput> extends AttemptOptions {
  readonly execute: CompensationFunction<TInput, TOutput>;
}

export interface ActivityOptions<TInput, TOutput, TGiven = TInput> extends AttemptOptions {
  /**
   * Undoes the activity when the workflow fails or is cancelled after it completed; the activity completed last is undone first. Tried again by its own
   * policy, or else the activity's. When it fails for good the others are undone all the same, and `get` tells of it.
   */
  readonly compensate?: CompensationFunction<TInput, TOutput> | Compensation<TInput, TOutput>;
  /** Checks, and may transform, the input of every call. A violation fails the call without an attempt. */
  readonly input?: StandardSchema<TGiven, TInput>;
  /** Checks, and may transform, what the function returned. A violation fails the call without a retry. */
  readonly output?: StandardSchema<unknown, TOutput>;
}

/** A declared activity: made by {@link defineActivity}, run by `ctx.run`. `TGiven` is what callers pass, `TInput` what the function gets. */
export interface Activity<TInput, TOutput, TGiven = TInput> {
  readonly type: 'activity';
  readonly name: string;
  readonly execute: ActivityFunction<TInput, TOutput>;
  readonly options: ActivityOptions<TInput, TOutput, TGiven>;
}

const optionNames = namesOf<ActivityOptions<unknown, unknown>>({
  retry: true,
  timeout: true,
  input: true,
  output: true,
  compensate: true,
});
const compensationNames = namesOf<Compensation<unknown, unknown>>({ retry: true, timeout: true, execute: true });

/**
 * Declares an activity. Declaring has no effect: pass it to `ctx.run`.
 * @param name part of the ids in history (`reserve_stock:1`); keep it when you rename the variable.
 * @throws ConfigurationError, InvalidArgumentError when a name or an option is out of range.
 */
export function defineActivity<TInput, TOutput, TGiven = TInput>(
  name: string,
  execute: ActivityFunction<TInput, TOutput>,
  options: ActivityOptions<TInput, TOutput, TGiven> = {},
): Activity<TInput, TOutput, TGiven> {
  checkName(name, 'activity name');
  if (typeof execute !== 'function') {
    throw new ConfigurationError(`activity ${name} has no function`, { option: `activity ${name}` });
  }
  checkKnownOptions(options, optionNames, `activity ${name}: options`);
  checkAttemptOptions(options, `activity ${name}`);
  checkSchema(options.input, `activity ${name}: input`);
  checkSchema(options.output, `activity ${name}: output`);
  checkCompensation(options.compensate, `activity ${name}: compensate`);
  return Object.freeze({ type: 'activity', name, execute, options: Object.freeze({ ...options }) });
}

function checkCompensation(compensate: unknown, what: string): void {
  if (compensate === undefined || typeof compensate === 'function') return;
  const { execute } = (compensate ?? {}) as { readonly execute?: unknown };
  if (typeof execute !== 'function') {
    throw new ConfigurationError(`${what} takes a function, or { execute, retry, timeout }`, { option: what });
  }
  checkKnownOptions(compensate as object, compensationNames, what);
  checkAttemptOptions(compensate as AttemptOptions, what);
}

/** Refuses options out of range, naming them. */
export function checkAttemptOptions(options: AttemptOptions, what: string): void {
  resolveRetryPolicy(options.retry, defaultRetryPolicy, `${what}: retry`);
  if (options.timeout !== undefined && timeLimitMs(options.timeout, `${what}: timeout`) === 0) {
    throw new ConfigurationError(`${what}: timeout is 0; it takes more than 0, or leave it out for no limit`, {
      option: 'timeout',
    });
  }
}
