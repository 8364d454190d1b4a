// Sweeps of everything: one at a time, however many are asked for.

export class Sweeper {
  readonly #sweep: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** @param sweep never rejects. */
  constructor(sweep: () => Promise<void>) {
    this.#sweep = sweep;
  }

  /** Resolves when a sweep is over that began after this call: one that was under way may have looked too early. */
  request(): Promise<void> {
    const running = this.#running;
    if (running === null) return this.#begin();
    return (this.#next ??= running.then(() => {
      this.#next = null;
      return this.#begin();
    }));
  }

  #begin(): Promise<void> {
    const sweep = this.#sweep().then(() => {
      this.#running = null;
    });
    this.#running = sweep;
    return sweep;
  }
}
