// All who wait for the end of one instance.
import type { FinishedInstance } from '../ports/instance-store.js';

export interface Waiter {
  readonly resolve: (finished: FinishedInstance) => void;
  readonly reject: (reason: Error) => void;
}

/** Most are waited for by one: it costs no set to hold a single one. */
export class Watch {
  /** Null while the instance runs here. */
  nextLookAt: number | null;
  delayMs: number;
  /** The only one; not with `#more`. */
  #one: Waiter | null = null;
  /** Null until several waited at once. */
  #more: Set<Waiter> | null = null;

  constructor(facts: { readonly nextLookAt: number | null; readonly delayMs: number }) {
    this.nextLookAt = facts.nextLookAt;
    this.delayMs = facts.delayMs;
  }

  add(waiter: Waiter): void {
    if (this.#more !== null) this.#more.add(waiter);
    else if (this.#one === null) this.#one = waiter;
    else {
      this.#more = new Set([this.#one, waiter]);
      this.#one = null;
    }
  }

  delete(waiter: Waiter): void {
    if (this.#one === waiter) this.#one = null;
    this.#more?.delete(waiter);
  }

  get isEmpty(): boolean {
    return this.#one === null && (this.#more === null || this.#more.size === 0);
  }

  /** Lets go of them: an old table of a map may keep what it held (see RunsInMemory). */
  takeAll(): readonly Waiter[] {
    const all = this.#more !== null ? [...this.#more] : this.#one === null ? [] : [this.#one];
    this.#one = this.#more = null;
    return all;
  }
}
