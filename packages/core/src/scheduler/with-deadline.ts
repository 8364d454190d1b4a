// Bounds a wait by a signal.
import { onAbort } from './on-abort.js';

/** Resolves with the promise or the deadline, whichever comes first. Rejects when the promise does, before that. */
export async function withDeadline(promise: Promise<unknown>, deadline: AbortSignal): Promise<void> {
  let ignore: () => void = () => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      promise.then(() => resolve(), reject);
      ignore = onAbort(deadline, resolve);
    });
  } finally {
    ignore();
  }
}
