// The line in which the writers of one process wait for each other.

/** Gives the lock back. `heldMs`: for how long the file's own write lock was held. Further calls have no effect. */
export type ReleaseLock = (heldMs: number) => void;

/** For so many milliseconds in a row nobody minds; after that, others have their turn. */
const shortMs = 8;
/** The longest pause; longer than the longest one between two attempts of another process. */
const longestPauseMs = 25;

/**
 * First come, first served, except that an urgent caller goes first. SQLite lets one connection write at a time, and knows no line: with
 * the transaction of an activity on a connection of its own, the main connection would ask again and again for what its own process
 * keeps. So each writer of this process has this lock before it asks for the file's.
 *
 * Processes do not stand in one line. One that gave the file back and took it again in the same moment, over and over, would starve those
 * that look every few milliseconds. So after a long hold the lock rests for a quarter of it, at most 25 ms. And many short writes are as
 * synchronous as one long one: when they add up, the event loop turns before the next.
 */
export class WriteLock {
  readonly #waiting: (() => void)[] = [];
  #held = false;
  /** Milliseconds of short holds since the event loop was last let go. */
  #inARow = 0;

  /** Rejects with the signal's reason when that aborts before the lock was given. */
  acquire({ signal, urgent = false }: { readonly signal: AbortSignal; readonly urgent?: boolean }): Promise<ReleaseLock> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (!this.#held) {
        resolve(this.#take());
        return;
      }
      const grant = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(this.#take());
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(grant), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      if (urgent) this.#waiting.unshift(grant);
      else this.#waiting.push(grant);
    });
  }

  #take(): ReleaseLock {
    this.#held = true;
    let released = false;
    return (heldMs) => {
      if (released) return;
      released = true;
      this.#release(heldMs);
    };
  }

  #release(heldMs: number): void {
    this.#inARow += heldMs;
    if (this.#inARow < shortMs) {
      this.#next();
      return;
    }
    this.#inARow = 0;
    if (heldMs >= shortMs) setTimeout(() => this.#next(), Math.min(longestPauseMs, heldMs / 4));
    else setImmediate(() => this.#next());
  }

  #next(): void {
    this.#held = false;
    this.#waiting.shift()?.();
  }
}
