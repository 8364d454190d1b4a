// One turn of the event loop: how the engine lets a workflow's code come to rest.

/**
 * Resolves after everything that is ready now has run: all promise callbacks, and the macrotasks queued before. After an outcome was
 * handed to the code, one hop later the code has made every durable call that follows from it, so that the next outcome meets the
 * same calls on replay as on the first run. Counting microtasks instead would break on a chain one longer than counted.
 */
export function hop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
