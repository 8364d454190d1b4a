// Removes what nobody needs any more, now and then, a little at a time.
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import type { Logger } from '../ports/logger.js';
import type { RetentionRequest, RetentionStore } from '../ports/retention-store.js';
import { StorageUnavailableError } from '../domain/errors.js';
import { jittered } from './polling-pace.js';
import type { StorageTime } from '../engine/run-services.js';
import type { StorageHealth } from './storage-health.js';

/** How long everything is kept, in milliseconds; null: for ever. */
export interface RetentionAges {
  readonly instances: Readonly<Record<keyof RetentionRequest['instances'], number | null>>;
  readonly sentEvents: number | null;
  readonly seenEvents: number | null;
  readonly queuedMessages: number | null;
  /** At most so many messages wait on a topic to which nobody is subscribed. */
  readonly mostQueued: number;
}

export interface RetentionJobParts {
  readonly retention: RetentionStore;
  readonly ages: RetentionAges;
  readonly storageTime: StorageTime;
  readonly health: StorageHealth;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
  /** How many other processes do the same, as far as is known. */
  readonly others: () => number;
}

/** All processes together make about one round in this time. */
const roundMs = 60_000;
/** A process that found nothing to remove rests so many rounds. */
const restRounds = 4;
const batchRows = 500;
/** Between two batches it rests so many times as long as the one took: a tenth of one connection's time is the most that it takes. */
const restShare = 9;
const shortestRestMs = 100;

/**
 * waiting ─ its turn (by chance, the rarer the more others there are) ─► batch ─ more ─► resting ─► batch … ─ no more, or a failure ─► waiting.
 * Two processes in a round at the same time do not hurt: each removes what the other has not.
 */
export class RetentionJob {
  readonly #parts: RetentionJobParts;
  #cancelTimer: (() => void) | null = null;
  #underWay: Promise<void> | null = null;
  #isStopped = false;
  #restRounds = 0;

  constructor(parts: RetentionJobParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#armTurn();
  }

  /** Begins no batch any more; resolves when none is in flight. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    await this.#underWay;
  }

  #arm(delayMs: number, then: () => void): void {
    if (!this.#isStopped) this.#cancelTimer = this.#parts.clock.schedule(delayMs, then);
  }

  #armTurn(): void {
    this.#arm(jittered(roundMs, this.#parts.entropy), () => this.#turn());
  }

  #turn(): void {
    const { entropy, others } = this.#parts;
    // A rest is short of nothing by it: whoever of the others comes to a turn removes the same.
    if (this.#restRounds > 0) this.#restRounds--;
    else if (entropy.random() * (others() + 1) < 1) {
      this.#batch(false);
      return;
    }
    this.#armTurn();
  }

  #batch(hasRemoved: boolean): void {
    const { clock, logger, health } = this.#parts;
    const began = clock.monotonic();
    this.#underWay = this.#purge()
      .then(
        ({ removed, more }) => {
          // Without the second condition, a storage that counts wrongly would be asked for ever.
          if (more && removed > 0) {
            const rest = Math.max(shortestRestMs, (clock.monotonic() - began) * restShare);
            this.#arm(rest, () => this.#batch(hasRemoved || removed > 0));
            return;
          }
          this.#restRounds = hasRemoved || removed > 0 ? 0 : restRounds;
          this.#armTurn();
        },
        (error: unknown) => {
          // Of an outage everybody has heard.
          const isKnown = error instanceof StorageUnavailableError && !health.available;
          if (!this.#isStopped && !isKnown) {
            logger.warn('what is old could not be removed, trying again later', { error: String(error) });
          }
          this.#armTurn();
        },
      )
      .finally(() => {
        this.#underWay = null;
      });
  }

  async #purge(): Promise<{ readonly removed: number; readonly more: boolean }> {
    const { retention, ages, storageTime } = this.#parts;
    // Not later than the storage's clock: nothing goes too early.
    const now = Math.floor(storageTime.now());
    const before = (age: number | null): number | null => (age === null ? null : Math.max(0, now - age));
    const { completed, failed, cancelled, recurred } = ages.instances;
    const result = await retention.purge({
      instances: {
        completed: before(completed),
        failed: before(failed),
        cancelled: before(cancelled),
        recurred: before(recurred),
      },
      sentEvents: before(ages.sentEvents),
      seenEvents: before(ages.seenEvents),
      queuedMessages: before(ages.queuedMessages),
      mostQueued: ages.mostQueued,
      limit: batchRows,
    });
    const removed = result.instances + result.sentEvents + result.seenEvents + result.queuedMessages;
    return { removed, more: result.more };
  }
}
