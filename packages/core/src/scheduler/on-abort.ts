// Lets many wait for the abort of one signal by a single listener.

/** What is called when a signal aborts. The map keeps no signal alive. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once, when the signal aborts; at once when it has. In an outage all that talks to the storage waits on the same few signals,
 * and Node warns of a leak when a signal gets its eleventh listener.
 * @returns a function that takes the callback back; harmless afterwards.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  // A function of its own for each call: the same callback may be given twice.
  const call = (): void => callback();
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    const all = new Set<() => void>();
    waiting.set(signal, all);
    signal.addEventListener(
      'abort',
      () => {
        waiting.delete(signal);
        for (const one of all) one();
      },
      { once: true },
    );
    callbacks = all;
  }
  const mine = callbacks;
  mine.add(call);
  return () => void mine.delete(call);
}
