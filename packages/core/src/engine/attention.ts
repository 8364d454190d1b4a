// Reads what happened to an instance from outside: one reading at a time, and another when something came meanwhile.

/** Coalesces requests to read. A reading that began before a request may have missed what the request is about. */
export class Attention {
  readonly #read: () => Promise<void>;
  #reading: Promise<void> | null = null;
  #again = false;

  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /** Resolves when a reading that began after this call is over. Rejects when a reading does. */
  request(): Promise<void> {
    if (this.#reading === null) this.#reading = this.#run();
    else this.#again = true;
    return this.#reading;
  }

  /** The reading under way, if there is one. */
  get reading(): Promise<void> | null {
    return this.#reading;
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#read();
      } while (this.#again);
    } finally {
      this.#reading = null;
    }
  }
}
