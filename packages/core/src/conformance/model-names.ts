// The ids of one run of the model test: the same on both sides, and different from those of other runs.
import { modelEvents } from './model-commands.js';

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

  /** Events first, then a broadcast channel and a competing one. */
  topic(index: number): string {
    return `${index < modelEvents ? 'event' : 'channel'}:${this.#prefix}c${index}`;
  }

  get group(): string {
    return `${this.#prefix}group`;
  }

  /** What is published, told apart from all others. */
  message(count: number): string {
    return `${this.#prefix}message-${count}`;
  }

  outgoing(index: number): string {
    return `${this.#prefix}event-${index}`;
  }

  stream(index: number): string {
    return `${this.#prefix}stream-${index}`;
  }

  /** What an instance was until that claim of it. */
  archive(instanceId: string, claim: number): string {
    return `${instanceId}~${claim}`;
  }
}
