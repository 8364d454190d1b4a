// Asks for proofs that notes arrive on one listening session: own nonces, from end to end.
import type { Clock, Entropy } from '@romancy/core/ports';
import { deadline } from './deadline.js';
import type { Ping } from './ping.js';

/**
 * What became of a nonce that was not heard: `unheard` was sent, so this listener is deaf; `unanswered`: the sending session is silent too;
 * `unsent`: nobody could send it, which says nothing about the listener.
 */
export type Silence = 'unheard' | 'unanswered' | 'unsent';

export interface PingerParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Has the nonce sent as soon as there is a sending session. The last one that was given is the one that counts. */
  readonly send: (nonce: string) => Ping;
  /** When the sending session last did what was asked of it, by the monotonic clock. */
  readonly answeredAt: () => number;
  /** An own nonce was heard: the first one, or the first one after a silence. */
  readonly onProven: () => void;
  readonly onSilence: (silence: Silence) => void;
}

/** Belongs to one listening session. */
export class Pinger {
  readonly #parts: PingerParts;
  #ping: Ping | null = null;
  #proven = false;
  #heardAt: number;
  /** When an own nonce was heard last: it may come before the answer to the statement that sent it. */
  #provenAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #cancel: () => void = () => undefined;

  constructor(parts: PingerParts) {
    this.#parts = parts;
    this.#heardAt = parts.clock.monotonic();
  }

  /** An own nonce was heard, and no silence since. */
  get isProven(): boolean {
    return this.#proven;
  }

  start(): void {
    this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /**
   * A note arrived. Anybody's shows that the session hears, but only where an own nonce was heard before: behind a pooler it may have been
   * meant for somebody else.
   * @param nonce null when it was no ping.
   */
  heard(nonce: string | null): void {
    if (this.#stopped) return;
    this.#heardAt = this.#parts.clock.monotonic();
    if (nonce === null || nonce !== this.#ping?.nonce) return;
    this.#ping = null;
    this.#provenAt = this.#heardAt;
    this.#cancel();
    this.#rest();
    if (this.#proven) return;
    this.#proven = true;
    this.#parts.onProven();
  }

  #ask(): void {
    const { clock, entropy, timeoutMs, send } = this.#parts;
    const ping = send(entropy.uuid());
    this.#ping = ping;
    this.#cancel = deadline(clock, timeoutMs, () => this.#tooLate(ping, clock.monotonic() - timeoutMs));
  }

  #tooLate(ping: Ping, askedAt: number): void {
    const { clock, intervalMs, timeoutMs, onSilence } = this.#parts;
    const { outcome, answeredAt } = ping;
    // The server itself may have been slow; what it has just sent gets time to come.
    if (answeredAt !== null && answeredAt - askedAt > timeoutMs / 2) {
      this.#cancel = deadline(clock, timeoutMs / 2, () => this.#tooLate(ping, answeredAt));
      return;
    }
    this.#ping = null;
    // The own nonce may be behind a crowd of other notes: as long as those arrive, the session is not deaf. And where it was not even sent,
    // somebody else's is proof enough, while it is young.
    const now = clock.monotonic();
    const hears = this.#heardAt > (outcome === 'sent' ? askedAt : now - intervalMs);
    // Who hears others and cannot be heard by anybody is not well either: a while for a new session to come, and it is said.
    const isMute = outcome !== 'sent' && now - this.#sentAt >= 2 * intervalMs;
    if (this.#proven && hears && !isMute) return this.#rest();
    this.#proven = false;
    if (outcome === 'sent') onSilence('unheard');
    // It was proven once and hears others: that the sending session is silent says nothing about this one.
    else onSilence(hears && Number.isFinite(this.#provenAt) ? 'unsent' : outcome);
    // Told of a silence, somebody may have ended the session, and this with it.
    if (!this.#stopped) this.#ask();
  }

  /** The last proof that something can be sent. */
  get #sentAt(): number {
    return Math.max(this.#provenAt, this.#parts.answeredAt());
  }

  /** Until the older of the two proofs, of hearing and of sending, is too old. */
  #rest(): void {
    const { clock, intervalMs } = this.#parts;
    const restMs = Math.min(this.#heardAt, this.#sentAt) + intervalMs - clock.monotonic();
    if (restMs <= 0) this.#ask();
    else this.#cancel = clock.schedule(restMs, () => this.#rest());
  }
}
