// Waits for locks of other processes without blocking the event loop.
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { asStorageError, isBusy } from './storage-error.js';

/** So long, in milliseconds, the lock is taken for one of a commit, which is over in a moment. */
const eagerMs = 20;
/** A nap between two attempts until then: about half of what a commit takes. Timers know nothing shorter than a millisecond. */
const napMs = 0.1;
/** The longest pause between two attempts after that, in milliseconds. */
const longestPauseMs = 20;
const bed = new Int32Array(new SharedArrayBuffer(4));

export interface RetryOptions {
  /** Milliseconds after which the last failure is reported. */
  readonly timeoutMs: number;
  /** Ends the wait; the call rejects with its reason. */
  readonly signal: AbortSignal;
}

/**
 * Calls until it does not fail for a lock. SQLite itself would wait by sleeping, which stops everything else in the process: so the
 * connections have no busy timeout, and an attempt fails at once. Most often another process commits, which takes a fraction of a
 * millisecond: so the first attempts follow each other by naps of a tenth of one, with a turn of the event loop behind each. With
 * pauses of milliseconds, processes that commit all the time would leave the file idle, and starve each other. Who has the lock for longer
 * has a transaction of an activity: from then on the pauses are timers. They grow to 20 ms, with jitter, so that processes that wait for
 * the same lock do not meet again and again; the time is real time even where a test's clock stands still, since the lock is really held
 * by somebody.
 * @throws StorageUnavailableError with the cause, when the time is over or the failure is another one that passes; the first attempt within this call.
 */
export function retryWhileBusy<T>(attempt: () => T, options: RetryOptions): T | Promise<T> {
  // As a rule nobody has the lock, and nothing is made for waiting.
  try {
    return attempt();
  } catch (error) {
    if (!isBusy(error)) throw asStorageError(error);
    return retry(attempt, { ...options, error });
  }
}

/** @param options `error`: what the first attempt failed for. */
async function retry<T>(
  attempt: () => T,
  { timeoutMs, signal, error: first }: RetryOptions & { readonly error: unknown },
): Promise<T> {
  const began = performance.now();
  let failure = first;
  for (let pauses = 0; ;) {
    if (!isBusy(failure) || performance.now() >= began + timeoutMs) throw asStorageError(failure);
    if (performance.now() < began + Math.min(eagerMs, timeoutMs)) {
      Atomics.wait(bed, 0, 0, napMs * (0.5 + Math.random()));
      await turn();
    } else {
      const pauseMs = 1 + Math.random() * (Math.min(longestPauseMs, 2 ** Math.min(pauses++, 6)) - 1);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    signal.throwIfAborted();
    try {
      return attempt();
    } catch (error) {
      failure = error;
    }
  }
}
