// Counts what requests keep in memory, so that an outage of the storage cannot fill it.

/** What a request takes beside its body, roughly, in bytes. */
const requestBytes = 4096;

export interface Reservation {
  /** False: that is more than is left, and nothing was taken. */
  grow(bytes: number): boolean;
  /** Gives all of it back. Again: no effect. */
  release(): void;
}

/** One per handler. */
export class PendingBytes {
  readonly #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Undefined: there is no room for another request. */
  reserve(): Reservation | undefined {
    let own = 0;
    const grow = (bytes: number): boolean => {
      if (this.#used + bytes > this.#limit) return false;
      this.#used += bytes;
      own += bytes;
      return true;
    };
    const release = (): void => {
      this.#used -= own;
      own = 0;
    };
    return grow(requestBytes) ? { grow, release } : undefined;
  }
}
