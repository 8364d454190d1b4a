// What follows from an attempt to send an event that failed: another one, or none.
import { longestDurationMs } from '../domain/duration.js';
import { isNonRetryable, retryDelayMs, type RetryPolicy } from '../domain/retry-policy.js';

export interface FailedSend {
  readonly error: unknown;
  readonly policy: RetryPolicy;
  /** How many attempts have failed, this one counted. */
  readonly failed: number;
  /** How long ago the first of them failed. */
  readonly failingForMs: number;
  /** From 0 up to but not including 1, for the jitter. */
  readonly random: number;
}

/** `invalid`: no attempt can help. `failed`: there were enough of them. */
export type SendVerdict = { readonly type: 'retry'; readonly delayMs: number } | { readonly type: 'failed' | 'invalid' };

const mostCauses = 32;

export function verdictOn({ error, policy, failed, failingForMs, random }: FailedSend): SendVerdict {
  if (isNonRetryable(error, policy) || fieldsOf(error, 'retryable').includes(false)) return { type: 'invalid' };
  if (failed >= policy.maxAttempts) return { type: 'failed' };
  const asked = fieldsOf(error, 'retryAfterMs').find((value) => typeof value === 'number' && value > 0) as number | undefined;
  const delayMs = Math.min(longestDurationMs, Math.max(retryDelayMs(policy, failed, random), Math.ceil(asked ?? 0)));
  return failingForMs + delayMs > policy.maxDurationMs ? { type: 'failed' } : { type: 'retry', delayMs };
}

/** A field of an error and of its causes, nearest first. */
function fieldsOf(error: unknown, name: 'retryable' | 'retryAfterMs'): readonly unknown[] {
  const values: unknown[] = [];
  let current = error;
  for (let depth = 0; typeof current === 'object' && current !== null && depth < mostCauses; depth++) {
    const fields = current as Readonly<Partial<Record<typeof name | 'cause', unknown>>>;
    values.push(fields[name]);
    current = fields.cause;
  }
  return values;
}
