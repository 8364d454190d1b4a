// Two signals as one, for as long as something waits.

/** What to wait with, and what to call when the wait is over. */
export interface Patience {
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * Aborts with the first of both and its reason. Unlike `AbortSignal.any` it leaves nothing behind at a signal that lives as long as the
 * process, once it is disposed of.
 */
export function eitherSignal(one: AbortSignal, other: AbortSignal): Patience {
  const controller = new AbortController();
  const signals = [one, other];
  const abort = (): void => controller.abort(signals.find((signal) => signal.aborted)?.reason);
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  if (signals.some((signal) => signal.aborted)) abort();
  return {
    signal: controller.signal,
    dispose: () => {
      for (const signal of signals) signal.removeEventListener('abort', abort);
    },
  };
}
