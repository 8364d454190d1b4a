// Whose turn it is to claim the events that another process announced.
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import { Herd } from './herd.js';

/** So many turns in vain, and the others need no help. */
const vainTurns = 5;
/** From then on every so-manieth is taken all the same, to find out when they do. */
const probeEvery = 16;

export interface OutboxTurnsParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly workerId: () => string | null;
  readonly relayers: () => readonly string[];
  readonly claim: () => void;
}

/**
 * In a crowd two go first, as with instances: of those that send events, whatever workflows they serve. Those who wait hear from nobody that an
 * event was claimed, nor whether the first two have places free: they learn from their own claims. Where these find something, the first two did
 * not do their work, and waiting goes on to end in a claim; where they find nothing time and again, it ends in one only now and then. What is
 * missed so is found by upkeep.
 */
export class OutboxTurns {
  readonly #herd: Herd;
  readonly #claim: () => void;
  #isAnnouncing = false;
  /** A claim that had to wait for its turn is not answered yet. */
  #isLate = false;
  #vain = 0;
  #skipped = 0;

  constructor(parts: OutboxTurnsParts) {
    this.#claim = parts.claim;
    this.#herd = new Herd({ ...parts, peers: parts.relayers, claim: () => this.#turn() });
  }

  announced(eventId: string): void {
    this.#isAnnouncing = true;
    this.#herd.announced(eventId);
    this.#isAnnouncing = false;
  }

  /** A claim was answered. */
  claimed(count: number): void {
    if (!this.#isLate) return;
    this.#isLate = false;
    this.#vain = count > 0 ? 0 : this.#vain + 1;
  }

  stop(): void {
    this.#herd.stop();
  }

  #turn(): void {
    if (!this.#isAnnouncing) {
      if (this.#vain >= vainTurns && ++this.#skipped % probeEvery !== 0) return;
      this.#isLate = true;
    }
    this.#claim();
  }
}
