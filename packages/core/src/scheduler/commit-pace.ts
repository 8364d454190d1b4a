// How long a commit waits for what runs are about to record, and when a crowd of runs is committed in two halves.

/** A commit may have taken long because it waited for a lock: that is no measure of what another one would take. */
const mostWaitMs = 50;

/** So many instances are a crowd. With fewer, what every commit costs, however much is in it, outweighs what two halves could gain. */
export const crowd = 32;

/**
 * Learns from the commits before: how long one takes, and for how long the runs that it released go on before they wait again.
 *
 * A crowd that moves in step leaves the database idle while its code goes on, and the code idle while it is committed. In two halves, one
 * goes on while the other is committed. That pays while the code takes longer than the commit: each half pays for a commit of its own, and
 * on a slow disk or far from the database two commits would take longer than one and the code together.
 */
export class CommitPace {
  #tookMs = 0;
  #goingMs = 0;
  #releasedAt: number | null = null;
  #halves = false;

  /**
   * A commit was answered.
   * @param blocked it left the event loop no turn, as one does in a database inside this thread: nothing can go on meanwhile.
   */
  answered(tookMs: number, blocked: boolean): void {
    this.#tookMs = tookMs;
    // A commit in halves takes about half of the time and so does its code: what made it worth beginning is not asked of it again.
    this.#halves = !blocked && (this.#halves ? tookMs < this.#goingMs : 2 * tookMs < this.#goingMs);
  }

  /** The runs that a commit released go on from now. */
  released(now: number): void {
    this.#releasedAt ??= now;
  }

  /** No run goes on any more. */
  rested(now: number): void {
    if (this.#releasedAt === null) return;
    this.#goingMs = now - this.#releasedAt;
    this.#releasedAt = null;
  }

  /** Milliseconds. No run is to hold up the others for longer than it saves: for as long as a commit takes at most. */
  get longestWaitMs(): number {
    return Math.min(this.#tookMs, mostWaitMs);
  }

  /** Whether two halves would pay for a crowd. */
  get halves(): boolean {
    return this.#halves;
  }
}
