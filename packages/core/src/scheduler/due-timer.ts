// The one local timer for the earliest time at which something is known to be due.
import type { Clock } from '../ports/clock.js';
import type { StorageTime } from '../engine/run-services.js';

export interface DueTimerParts {
  readonly clock: Clock;
  readonly storageTime: StorageTime;
  /** The time has come. */
  readonly onDue: (moment: number) => void;
}

/** Of later times nothing is remembered: whoever claims at the earliest is told the next. */
export class DueTimer {
  readonly #parts: DueTimerParts;
  #armedFor = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(parts: DueTimerParts) {
    this.#parts = parts;
  }

  /** Something is due at that time by the storage's clock. */
  arm(moment: number): void {
    if (this.#armedFor <= moment) return;
    this.stop();
    this.#armedFor = moment;
    const { clock, storageTime, onDue } = this.#parts;
    this.#cancel = clock.schedule(Math.max(0, moment - storageTime.now()), () => {
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.#cancel = null;
      onDue(moment);
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}
