// How long a commit waits for what runs are about to record, and when a crowd of runs is committed in two halves.

/** Milliseconds. A commit may have taken long because it waited for a lock: that is no measure of what another one would take. */
const mostWaitMs = 50;

/** So many instances are a crowd. With fewer, what every commit costs, however much is in it, outweighs what two halves could gain. */
export const crowd = 32;

/** After so many commits in halves, one is made whole, to see whether it is still so. */
const halvesInARow = 200;

/**
 * Learns from the commits before: how long one takes, and how long the lane then stands idle until the code that went on has come to the
 * next one.
 *
 * A crowd that moves in step leaves the database idle while its code goes on, and the code idle while it is committed. In two halves, one
 * goes on while the other is committed. That pays while the code takes about as long as the commit: each half pays for a commit of its own,
 * and on a slow disk or far from the database two commits would take longer than one and the code together.
 */
export class CommitPace {
  #tookMs = 0;
  #blocked = true;
  #answeredAt: number | null = null;
  #halvesLeft = 0;

  /**
   * A commit is sent.
   * @param isAlone nobody goes on while it is under way: those whom the one before released have come to rest.
   */
  sending(now: number, isAlone: boolean): void {
    if (this.#halvesLeft > 0) this.#halvesLeft--;
    if (isAlone && this.#answeredAt !== null && !this.#blocked) {
      const idleMs = now - this.#answeredAt;
      // Longer than any code: that was a pause in which nobody had anything to do.
      if (idleMs <= mostWaitMs && idleMs > 0.75 * this.#tookMs) this.#halvesLeft = halvesInARow;
    }
    this.#answeredAt = null;
  }

  /**
   * A commit was answered.
   * @param blocked it left the event loop no turn, as one does in a database inside this thread: nothing can go on meanwhile.
   */
  answered(now: number, tookMs: number, blocked: boolean): void {
    this.#answeredAt = now;
    this.#tookMs = tookMs;
    this.#blocked = blocked;
  }

  /** Milliseconds. No run is to hold up the others for longer than it saves: for as long as a commit takes at most. */
  get longestWaitMs(): number {
    return Math.min(this.#tookMs, mostWaitMs);
  }

  /** Whether a crowd is to go out in two halves. */
  get halves(): boolean {
    return this.#halvesLeft > 0;
  }
}
