// Lets the event loop turn between reads that follow each other.

/** For so many milliseconds in a row nobody minds. */
const shortMs = 8;

/**
 * A read keeps the event loop for a moment only, but sixty runs that begin to be repeated ask for a page of their histories at once, and
 * the answers to all of them would come before anything else. When reads have added up, the next one waits for a turn.
 */
export class ReadingTurns {
  /** Milliseconds of reads since the event loop was last let go. */
  #inARow = 0;
  #turn: Promise<void> | null = null;

  /**
   * Does a read, when it may.
   * @param read reads within the call; its promise is of what it came to.
   */
  async take<T>(read: () => T | Promise<T>): Promise<T> {
    // Those that wait for one turn go on behind it one after the other, until they have used it up: nothing lies between look and read.
    while (this.#inARow >= shortMs) await (this.#turn ??= this.#nextTurn());
    const began = performance.now();
    const answer = read();
    this.#inARow += performance.now() - began;
    return answer;
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#inARow = 0;
        this.#turn = null;
        resolve();
      });
    });
  }
}
