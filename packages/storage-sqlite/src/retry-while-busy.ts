// Waits for locks of other processes without blocking the event loop.
import { setTimeout as sleep } from 'node:timers/promises';
import { asStorageError, isBusy } from './storage-error.js';

/** The longest pause between two attempts, in milliseconds. */
const longestPauseMs = 20;

export interface RetryOptions {
  /** Milliseconds after which the last failure is reported. */
  readonly timeoutMs: number;
  /** Ends the wait; the call rejects with its reason. */
  readonly signal: AbortSignal;
}

/**
 * Calls until it does not fail for a lock. SQLite itself would wait by sleeping, which stops everything else in the process: so the
 * connections have no busy timeout, an attempt fails at once, and the pauses between attempts are timers. They grow to 20 ms, with
 * jitter, so that processes that wait for the same lock do not meet again and again; the time is real time even where a test's clock
 * stands still, since the lock is really held by somebody.
 * @throws StorageUnavailableError with the cause, when the time is over or the failure is another one that passes.
 */
export async function retryWhileBusy<T>(attempt: () => T, { timeoutMs, signal }: RetryOptions): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (let failures = 0; ; failures++) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw asStorageError(error);
    }
    const pauseMs = 1 + Math.random() * (Math.min(longestPauseMs, 2 ** Math.min(failures, 6)) - 1);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}
