// One attempt to send one event: the user's function, its time limit, its abort.
import type { OutgoingEvent } from '../domain/outbox.js';
import { LazyAbort } from '../engine/lazy-abort.js';
import type { Clock } from '../ports/clock.js';
import type { SendEvent } from '../ports/send-event.js';
import { onAbort } from './on-abort.js';

export interface SendAttemptParts {
  readonly send: SendEvent;
  readonly clock: Clock;
  /** From 1. */
  readonly attempt: number;
  /** Null: no limit. */
  readonly timeoutMs: number | null;
  /** This process gives it up. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when the event was taken; rejects with what the function threw, when the time is over, or when `signal` aborts, whichever comes first.
 * A function that ignores its own signal goes on in the background, and what becomes of it counts for nothing.
 */
export async function attemptToSend(event: OutgoingEvent, parts: SendAttemptParts): Promise<void> {
  const { send, clock, attempt, timeoutMs, signal } = parts;
  signal.throwIfAborted();
  const abort = new LazyAbort();
  let ignore = (): void => undefined;
  let cancelTimeout = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const giveUp = (reason: Error): void => {
        abort.abort(reason);
        reject(reason);
      };
      ignore = onAbort(signal, () => giveUp(signal.reason as Error));
      if (timeoutMs !== null) {
        const expire = (): void => giveUp(new Error(`the sender did not end within ${timeoutMs} ms`));
        cancelTimeout = clock.schedule(timeoutMs, expire, { keepAlive: true });
      }
      const given = {
        attempt,
        get signal() {
          return abort.signal;
        },
      };
      // Within an async function: what it throws at once is a rejection like any other.
      void (async () => send(event, given))().then(resolve, reject);
    });
  } finally {
    ignore();
    cancelTimeout();
  }
}
