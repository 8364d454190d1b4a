// The durable calls of a run whose outcome the code does not have yet.
import type { DurableCall } from './operations/durable-call.js';

/** By position, which is the order in which they were made. */
export class OpenCalls implements Iterable<DurableCall> {
  readonly #calls = new Map<number, DurableCall>();

  add(call: DurableCall): void {
    this.#calls.set(call.position, call);
  }

  at(position: number): DurableCall | undefined {
    return this.#calls.get(position);
  }

  delete(call: DurableCall): void {
    this.#calls.delete(call.position);
  }

  clear(): void {
    this.#calls.clear();
  }

  /** Lets a call begin in earnest, once: an activity must not be started twice. */
  goLive(call: DurableCall): void {
    if (call.isLive) return;
    call.isLive = true;
    call.goLive();
  }

  allGoLive(): void {
    for (const call of [...this.#calls.values()]) this.goLive(call);
  }

  [Symbol.iterator](): Iterator<DurableCall> {
    return [...this.#calls.values()][Symbol.iterator]();
  }

  get isEmpty(): boolean {
    return this.#calls.size === 0;
  }

  /** The oldest open call. */
  get first(): DurableCall | undefined {
    for (const call of this.#calls.values()) return call;
    return undefined;
  }

  /** At least one call is open, and none does anything but wait. */
  get allWait(): boolean {
    for (const call of this.#calls.values()) if (call.waiting === null) return false;
    return this.#calls.size > 0;
  }

  /** The wait with the earliest time limit; null when none has one. */
  get firstDue(): { readonly call: DurableCall; readonly dueAt: number } | null {
    let first: { readonly call: DurableCall; readonly dueAt: number } | null = null;
    for (const call of this.#calls.values()) {
      const dueAt = call.waiting?.dueAt ?? null;
      if (dueAt !== null && (first === null || dueAt < first.dueAt)) first = { call, dueAt };
    }
    return first;
  }

  /** The calls whose time limit has come, the earliest first. */
  dueBy(now: number): DurableCall[] {
    const due: { readonly call: DurableCall; readonly dueAt: number }[] = [];
    for (const call of this.#calls.values()) {
      const dueAt = call.waiting?.dueAt ?? null;
      if (dueAt !== null && dueAt <= now) due.push({ call, dueAt });
    }
    return due.sort((a, b) => a.dueAt - b.dueAt).map(({ call }) => call);
  }
}
