// The durable calls of a run whose outcome the code does not have yet.
import type { DurableCall } from './operations/durable-call.js';

const none: readonly DurableCall[] = [];

/** By position, which is the order in which they were made. Most code makes one call after the other: it costs no map to hold a single one. */
export class OpenCalls implements Iterable<DurableCall> {
  /** The only one; not with `#more`. */
  #one: DurableCall | null = null;
  /** Null until several were open at once. */
  #more: Map<number, DurableCall> | null = null;

  add(call: DurableCall): void {
    if (this.#more === null) {
      if (this.#one === null) {
        this.#one = call;
        return;
      }
      this.#more = new Map([[this.#one.position, this.#one]]);
      this.#one = null;
    }
    this.#more.set(call.position, call);
  }

  at(position: number): DurableCall | undefined {
    if (this.#more !== null) return this.#more.get(position);
    return this.#one?.position === position ? this.#one : undefined;
  }

  delete(call: DurableCall): void {
    if (this.#more !== null) this.#more.delete(call.position);
    else if (this.#one?.position === call.position) this.#one = null;
  }

  clear(): void {
    this.#one = this.#more = null;
  }

  /** Lets a call begin in earnest, once: an activity must not be started twice. */
  goLive(call: DurableCall): void {
    if (call.isLive) return;
    call.isLive = true;
    call.goLive();
  }

  allGoLive(): void {
    for (const call of this) this.goLive(call);
  }

  /** Those that are open now, whatever becomes of them meanwhile. */
  [Symbol.iterator](): Iterator<DurableCall> {
    return (this.#more !== null ? [...this.#more.values()] : this.#one === null ? none : [this.#one])[Symbol.iterator]();
  }

  get isEmpty(): boolean {
    return this.#more === null ? this.#one === null : this.#more.size === 0;
  }

  /** The oldest open call. */
  get first(): DurableCall | undefined {
    return this.#more === null ? (this.#one ?? undefined) : this.#more.values().next().value;
  }

  /** At least one call is open, and none does anything but wait. */
  get allWait(): boolean {
    if (this.#more === null) return this.#one !== null && this.#one.waiting !== null;
    for (const call of this.#more.values()) if (call.waiting === null) return false;
    return this.#more.size > 0;
  }

  /** The wait with the earliest time limit; null when none has one. */
  get firstDue(): { readonly call: DurableCall; readonly dueAt: number } | null {
    // Asked behind every outcome, and most calls have none: nothing is made for that.
    if (this.#more === null && (this.#one?.waiting ?? null) === null) return null;
    let first: { readonly call: DurableCall; readonly dueAt: number } | null = null;
    for (const call of this) {
      const dueAt = call.waiting?.dueAt ?? null;
      if (dueAt !== null && (first === null || dueAt < first.dueAt)) first = { call, dueAt };
    }
    return first;
  }

  /** The calls whose time limit has come, the earliest first. */
  dueBy(now: number): readonly DurableCall[] {
    if (this.#more === null && (this.#one?.waiting ?? null) === null) return none;
    const due: { readonly call: DurableCall; readonly dueAt: number }[] = [];
    for (const call of this) {
      const dueAt = call.waiting?.dueAt ?? null;
      if (dueAt !== null && dueAt <= now) due.push({ call, dueAt });
    }
    return due.sort((a, b) => a.dueAt - b.dueAt).map(({ call }) => call);
  }
}
