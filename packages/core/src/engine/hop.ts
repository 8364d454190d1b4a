// One turn of the event loop: how the engine lets a workflow's code come to rest.

let waiting: (() => void)[] = [];

/**
 * Resolves after everything that is ready now has run: all promise callbacks, and the macrotasks queued before. After an outcome was
 * handed to the code, one hop later the code has made every durable call that follows from it, so that the next outcome meets the
 * same calls on replay as on the first run. Counting microtasks instead would break on a chain one longer than counted.
 */
export function hop(): Promise<void> {
  return new Promise(afterHop);
}

/**
 * {@link hop} for who is called thousands of times a second: all who wait for the same turn share one entry in the event loop.
 * @param callback throws nothing: others come behind it.
 */
export function afterHop(callback: () => void): void {
  if (waiting.length === 0) setImmediate(turn);
  waiting.push(callback);
}

/** What is asked for from here on is for the next turn. */
function turn(): void {
  const callbacks = waiting;
  waiting = [];
  for (const callback of callbacks) callback();
}
