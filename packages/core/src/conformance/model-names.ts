// The ids of one run of the model test: the same on both sides, and different from those of other runs.

export class ModelNames {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Each life has an identity of its own. */
  worker(index: number, life: number): string {
    return `${this.#prefix}w${index}.${life}`;
  }

  /** The worker that reaps and looks, and does nothing else. */
  get reaper(): string {
    return `${this.#prefix}reaper`;
  }

  instance(index: number): string {
    return `${this.#prefix}i${index}`;
  }

  workflow(index: number): string {
    return `${this.#prefix}workflow-${index}`;
  }

  token(count: number): string {
    return `${this.#prefix}token-${count}`;
  }

  get source(): string {
    return `${this.#prefix}source`;
  }

  topic(index: number): string {
    return `${this.#prefix}c${index}`;
  }
}
