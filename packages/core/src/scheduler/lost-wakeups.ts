// Finds out whether notes get lost, by what polling finds that no note had told of.
import type { Clock } from '../ports/clock.js';
import type { HeardWakeups } from './heard-wakeups.js';

/** The instances that are judged: the last so many that were claimed. */
const windowSize = 1000;
const tolerated = 0.01;
const fewestFound = 5;
const fewestLooks = 3;
/** A note may be on its way while a poll finds its instance; and what was due for less than this is nothing to speak of. */
const patienceMs = 1000;
/** So long without a find, and notes are trusted again. */
const calmMs = 300_000;

export interface LostWakeupsParts {
  readonly clock: Clock;
  readonly heard: HeardWakeups;
  /** Called once per change. */
  readonly onChange: (isLossy: boolean, reason: string) => void;
}

/** Knows nothing of states: whoever has it tells it only what happens while the notifier says that it is healthy. */
export class LostWakeups {
  readonly #parts: LostWakeupsParts;
  /** By turns: 0 for an instance that was claimed as it should be, else the number of the look that found it. */
  readonly #window: number[] = [];
  #next = 0;
  #looks = 0;
  #isLossy = false;
  #lastFoundAt = 0;
  readonly #timers = new Set<() => void>();
  #cancelCalm: (() => void) | null = null;
  #isStopped = false;
  /** Instances found by polling, since the start. */
  found = 0;

  constructor(parts: LostWakeupsParts) {
    this.#parts = parts;
  }

  get isLossy(): boolean {
    return this.#isLossy;
  }

  /** Instances were claimed because of a wake-up, a due time, a free place. */
  toldOf(count: number): void {
    for (let each = 0; each < Math.min(count, windowSize); each++) this.#put(0);
  }

  /** Instances were claimed, or their attention was found, for no other reason than that it was time to look. */
  polled(instanceIds: readonly string[]): void {
    if (instanceIds.length === 0 || this.#isStopped) return;
    const { clock, heard } = this.#parts;
    const unheard = instanceIds.filter((instanceId) => !heard.has(instanceId));
    this.toldOf(instanceIds.length - unheard.length);
    if (unheard.length === 0) return;
    const look = ++this.#looks;
    const cancel = clock.schedule(patienceMs, () => {
      this.#timers.delete(cancel);
      this.#judge(unheard, look);
    });
    this.#timers.add(cancel);
  }

  /** The connection was lost: what was found before says nothing about the next one. */
  reset(): void {
    this.#window.length = 0;
    this.#next = 0;
    this.#cancelCalm?.();
    this.#cancelCalm = null;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#isLossy = false;
  }

  stop(): void {
    this.#isStopped = true;
    this.reset();
  }

  #judge(instanceIds: readonly string[], look: number): void {
    for (const instanceId of instanceIds) {
      const isFound = !this.#parts.heard.has(instanceId);
      this.#put(isFound ? look : 0);
      if (!isFound) continue;
      this.found++;
      this.#lastFoundAt = this.#parts.clock.monotonic();
    }
    if (this.#isLossy) return;
    const finds = this.#window.filter((entry) => entry > 0);
    if (finds.length < fewestFound || new Set(finds).size < fewestLooks) return;
    if (finds.length / this.#window.length <= tolerated) return;
    this.#isLossy = true;
    this.#awaitCalm();
    const reason = `${finds.length} of the last ${this.#window.length} instances were found by polling, no note had told of them`;
    this.#parts.onChange(true, reason);
  }

  #awaitCalm(): void {
    const wait = this.#lastFoundAt + calmMs - this.#parts.clock.monotonic();
    this.#cancelCalm = this.#parts.clock.schedule(Math.max(0, wait), () => {
      if (this.#parts.clock.monotonic() < this.#lastFoundAt + calmMs) {
        this.#awaitCalm();
        return;
      }
      this.reset();
      this.#parts.onChange(false, `nothing was found by polling for ${calmMs / 60_000} minutes`);
    });
  }

  #put(entry: number): void {
    this.#window[this.#next] = entry;
    this.#next = (this.#next + 1) % windowSize;
  }
}
