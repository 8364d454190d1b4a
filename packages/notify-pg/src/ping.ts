// A nonce on its way, and how far it came.
import type { Clock } from '@romancy/core/ports';

export type PingOutcome = 'sent' | 'unanswered' | 'unsent';

export class Ping {
  readonly nonce: string;
  readonly #clock: Clock;
  #outcome: PingOutcome = 'unsent';
  #answeredAt: number | null = null;

  constructor(nonce: string, clock: Clock) {
    this.nonce = nonce;
    this.#clock = clock;
  }

  /** `unsent` until it is given to a session, and again when that refused it; `sent` when the server has committed it. */
  get outcome(): PingOutcome {
    return this.#outcome;
  }

  /** By the monotonic clock; null: not yet. */
  get answeredAt(): number | null {
    return this.#answeredAt;
  }

  given(): void {
    this.#outcome = 'unanswered';
  }

  sent(): void {
    this.#outcome = 'sent';
    this.#answeredAt = this.#clock.monotonic();
  }

  refused(): void {
    this.#outcome = 'unsent';
  }
}
