// Waits for something that can only be seen by looking.

export interface EventuallyOptions {
  /** Milliseconds until it gives up; default 5000. */
  readonly timeout?: number;
  /** Milliseconds between two looks, or `'turn'`: a look in each turn of the event loop, so that little goes on in between. Default 5. */
  readonly interval?: number | 'turn';
}

/**
 * Calls `look` until it returns something truthy, and returns that. A look that throws counts as "not yet", so that it may hold
 * assertions; the last error is the cause of the one that is thrown at the end. Prefer a signal where there is one.
 */
export async function eventually<T>(look: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<NonNullable<T>> {
  const { timeout = 5_000, interval = 5 } = options;
  const end = performance.now() + timeout;
  for (;;) {
    let last: { readonly error: unknown } | undefined;
    try {
      const seen = await look();
      if (seen) return seen;
    } catch (error) {
      last = { error };
    }
    if (performance.now() >= end) {
      const cause = last === undefined ? {} : { cause: last.error };
      throw new Error(`Did not come true within ${String(timeout)} ms: ${look.toString()}`, cause);
    }
    await new Promise((resolve) => (interval === 'turn' ? setImmediate(resolve) : setTimeout(resolve, interval)));
  }
}
