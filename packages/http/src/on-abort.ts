// Hears of an abort, however many do on one signal.

/** Who is to be told, by signal. One listener serves them all: a runtime warns of a leak when a signal has more than ten. */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when the signal aborts; it must not have by now.
 * @returns a function after which it will not.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const known = listeners.get(signal);
  const callbacks = known ?? new Set();
  callbacks.add(callback);
  if (known === undefined) {
    listeners.set(signal, callbacks);
    signal.addEventListener('abort', () => {
      for (const tell of [...callbacks]) tell();
    });
  }
  return () => void callbacks.delete(callback);
}
