// Promises of the durable verbs may reject with nobody listening, as the loser of a race does: that is no fault of the process.

/** The same promise; whoever awaits it is told as ever. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
