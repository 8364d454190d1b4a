// Lets a step of a workflow through when the measurement says so.

/** For one that passes and one that opens: each opening lets one through. */
export class Turnstile {
  #arrived = new Gate();
  #opened = new Gate();

  /** For the step: tells that it has come, and waits until it may go on. */
  async pass(): Promise<void> {
    const opened = this.#opened;
    this.#arrived.open();
    await opened.isOpen;
  }

  /** For the measurement: resolves when a step has come and waits. */
  arrival(): Promise<void> {
    return this.#arrived.isOpen;
  }

  /** Lets the one through that has come. The next one, whenever it comes, waits again. */
  open(): void {
    const opened = this.#opened;
    this.#arrived = new Gate();
    this.#opened = new Gate();
    opened.open();
  }
}

class Gate {
  readonly isOpen: Promise<void>;
  #resolve!: () => void;

  constructor() {
    this.isOpen = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  open(): void {
    this.#resolve();
  }
}
