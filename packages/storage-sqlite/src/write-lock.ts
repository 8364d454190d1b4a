// The line in which the writers of one process wait for each other.

/** For how long the file's own write lock was held: by code that did not give up control meanwhile, or by code that waited in between. */
export type Hold = { readonly synchronousMs: number } | { readonly asynchronousMs: number };

/** Gives the lock back. Further calls have no effect. */
export type ReleaseLock = (hold: Hold) => void;

/** For so many milliseconds in a row nobody minds; after that, others have their turn. */
const shortMs = 8;
/** The longest rest; longer than the longest pause between two attempts of another process. */
const longestRestMs = 25;

/**
 * First come, first served, except that an urgent caller goes first. SQLite lets one connection write at a time, and knows no line: with
 * the transaction of an activity on a connection of its own, the main connection would ask again and again for what its own process
 * keeps. So each writer of this process has this lock before it asks for the file's.
 *
 * Processes do not stand in one line. One whose activities have their transactions one after the other, each taking the file in the moment
 * in which the one before gives it back, would starve those that look every few milliseconds. So after a long one the lock rests for a
 * quarter of it, at most 25 ms. Synchronous holds leave gaps enough, by the work that is done in between; but many short ones in a row
 * keep the event loop as long as one long one would: when they add up, it turns before the next.
 */
export class WriteLock {
  readonly #waiting: (() => void)[] = [];
  #held = false;
  /** Milliseconds of synchronous holds since the event loop was last let go. */
  #inARow = 0;

  /** At once, without a promise; null: somebody has it. */
  takeIfFree(): ReleaseLock | null {
    return this.#held ? null : this.#take();
  }

  /** Rejects with the signal's reason when that aborts before the lock was given. */
  acquire({ signal, urgent = false }: { readonly signal: AbortSignal; readonly urgent?: boolean }): Promise<ReleaseLock> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const taken = this.takeIfFree();
      if (taken !== null) {
        resolve(taken);
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
    return (hold) => {
      if (released) return;
      released = true;
      this.#release(hold);
    };
  }

  #release(hold: Hold): void {
    if ('asynchronousMs' in hold && hold.asynchronousMs >= shortMs) {
      setTimeout(() => this.#next(), Math.min(longestRestMs, hold.asynchronousMs / 4));
      return;
    }
    if ('synchronousMs' in hold) this.#inARow += hold.synchronousMs;
    if (this.#inARow < shortMs) {
      this.#next();
      return;
    }
    this.#inARow = 0;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#held = false;
    this.#waiting.shift()?.();
  }
}
