// What this process believes about the signs of life of others: whom it suspects, and how soon to look again.
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import type { MissingWorker, UpkeepResult } from '../ports/lease-store.js';
import { jittered } from './polling-pace.js';

/** How long a sign may be gone before its worker is declared dead: time for one that lives to say that it has lost its connection. */
const graceMs = 1000;
/**
 * How long nobody is declared dead by his sign after this process was cut off itself. As a rule others were too, all signs are gone by
 * then, and who tries again may pause for 5 s before he says that he lives, and then has to be answered.
 */
const graceAfterCutMs = 10_000;
const shortestIntervalMs = 1000;
/** All processes of a fleet together make about two looks a second. */
const intervalPerWatcherMs = 500;

interface Suspicion {
  readonly presence: string;
  /** By the monotonic clock of this process. */
  readonly since: number;
}

/** The states and races are in ARCHITECTURE.md, "Presence". */
export class PresenceWatch {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #suspicions = new Map<string, Suspicion>();
  #othersOwnWork = false;
  /** By the monotonic clock: until then no suspicion counts. */
  #distrustsItselfUntil = Number.NEGATIVE_INFINITY;
  /** Goes up with every `worker_busy`: one that comes while a look is in flight is not undone by what that look saw. */
  #busyMarks = 0;

  readonly #watches: boolean;

  /** @param parts `watches` false: this process never looks because of others. */
  constructor(parts: { readonly clock: Clock; readonly entropy: Entropy; readonly watches: boolean }) {
    this.#clock = parts.clock;
    this.#entropy = parts.entropy;
    this.#watches = parts.watches;
  }

  othersAreBusy(): void {
    this.#othersOwnWork = true;
    this.#busyMarks++;
  }

  /** To be taken before a look is sent. */
  mark(): number {
    return this.#busyMarks;
  }

  /** How long until the next look, in milliseconds, where so many others look as well; infinite while nobody is worth one. */
  intervalMs(watchers: number): number {
    if (!this.#othersOwnWork || !this.#watches) return Number.POSITIVE_INFINITY;
    return jittered(Math.max(shortestIntervalMs, watchers * intervalPerWatcherMs), this.#entropy);
  }

  /**
   * When the next grace is over, by the monotonic clock; infinite: none goes on. One whose grace is over and who is there all the same (his
   * row was locked, by a commit of his own or another reaper) is asked for at every look, and causes none.
   */
  graceEndsAt(): number {
    const now = this.#clock.monotonic();
    let first = Number.POSITIVE_INFINITY;
    for (const suspicion of this.#suspicions.values()) {
      const endsAt = this.#graceEndsAt(suspicion);
      if (endsAt > now) first = Math.min(first, endsAt);
    }
    return first;
  }

  /** Those whose grace is over. */
  suspects(): readonly MissingWorker[] {
    const now = this.#clock.monotonic();
    return [...this.#suspicions].flatMap(([workerId, suspicion]) =>
      this.#graceEndsAt(suspicion) <= now ? [{ workerId, presence: suspicion.presence }] : [],
    );
  }

  #graceEndsAt({ since }: Suspicion): number {
    return Math.max(since + graceMs, this.#distrustsItselfUntil);
  }

  /**
   * Takes what an upkeep or a look told. Who is not missing any more, or by another sign, is not suspected any more.
   * @param seen `mark` as it was before it was sent; `wasCutOff`: before this answer the storage, or the own sign, was lost for a while.
   */
  saw(
    { missing, othersOwnWork }: UpkeepResult,
    { mark, wasCutOff }: { readonly mark: number; readonly wasCutOff: boolean },
  ): void {
    const now = this.#clock.monotonic();
    if (wasCutOff) this.#distrustsItselfUntil = now + graceAfterCutMs;
    const before = new Map(this.#suspicions);
    this.#suspicions.clear();
    for (const { workerId, presence } of missing) {
      const known = before.get(workerId);
      this.#suspicions.set(workerId, known?.presence === presence ? known : { presence, since: now });
    }
    if (mark === this.#busyMarks) this.#othersOwnWork = othersOwnWork;
  }
}
