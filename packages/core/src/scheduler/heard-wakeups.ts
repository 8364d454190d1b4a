// Which instances were announced lately, here or elsewhere.
import type { Clock } from '../ports/clock.js';

const mostKept = 10_000;
const lifeMs = 10_000;

interface Announcement {
  /** By the monotonic clock. */
  readonly at: number;
  /** False: its run here was told, there is nothing to claim. */
  readonly toClaim: boolean;
  /** Another process has told that it claimed the instance since. */
  isClaimed: boolean;
}

/** Bounded: a burst of notes pushes out the oldest. What is forgotten costs a figure of the status, no work. */
export class HeardWakeups {
  readonly #clock: Clock;
  /** The latest of each, in the order of their times. */
  readonly #latest = new Map<string, Announcement>();
  #broadcastAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hear(instanceId: string, { toClaim }: { readonly toClaim: boolean }): void {
    if (!this.#latest.delete(instanceId) && this.#latest.size >= mostKept) {
      const [oldest] = this.#latest.keys();
      this.#latest.delete(oldest!);
    }
    this.#latest.set(instanceId, { at: this.#clock.monotonic(), toClaim, isClaimed: false });
  }

  /** Something was sent to whoever is subscribed: which instances, the note does not say. */
  hearOfAll(): void {
    this.#broadcastAt = this.#clock.monotonic();
  }

  /** Whether the instance was announced, or might have been, in the last ten seconds. */
  has(instanceId: string): boolean {
    const latest = Math.max(this.#broadcastAt, this.#latest.get(instanceId)?.at ?? this.#broadcastAt);
    return this.#clock.monotonic() - latest <= lifeMs;
  }

  /** Whether the latest announcement was one to its run here. */
  isForRun(instanceId: string): boolean {
    const latest = this.#latest.get(instanceId);
    return latest !== undefined && !latest.toClaim && this.#clock.monotonic() - latest.at <= lifeMs;
  }

  /** Another process has claimed it. Whether an announcement of this instance explains that; each one explains one claim. */
  claimedElsewhere(instanceId: string): boolean {
    const latest = this.#latest.get(instanceId);
    if (latest === undefined || latest.isClaimed || this.#clock.monotonic() - latest.at > lifeMs) return false;
    latest.isClaimed = true;
    return true;
  }

  /** It was claimed here. How long ago it was announced for that, in milliseconds; undefined: it was not. Forgotten then. */
  take(instanceId: string): number | undefined {
    const latest = this.#latest.get(instanceId);
    if (latest === undefined) return undefined;
    this.#latest.delete(instanceId);
    const age = this.#clock.monotonic() - latest.at;
    return latest.toClaim && age <= lifeMs ? age : undefined;
  }
}
