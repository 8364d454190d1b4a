// What the notifier's state means for this app: its own, or lossy on top of it; each change is told once.
import type { Clock } from '../ports/clock.js';
import type { NotifierStateEvent } from '../ports/hooks.js';
import type { Logger } from '../ports/logger.js';
import type { Notifier, NotifierState, NotifierStatus } from '../ports/notifier.js';

/** How the notifier does, and how this app does by it. */
export interface NotifierView extends NotifierStatus {
  /** The state that counts: the notifier's own, or `lossy` while it says healthy and polling finds what notes should have told. */
  readonly state: NotifierState;
  /** When it came into that state: milliseconds since 1970. */
  readonly since: number;
  /** How often this process looks for work by itself at this moment, in milliseconds. */
  readonly pollIntervalMs: number;
  /** Claims because of a wake-up that found nothing, most often since another process was faster. */
  readonly emptyClaims: number;
  /** Instances that were found by polling or upkeep while the notifier was healthy, and that no note had told of. */
  readonly foundByPoll: number;
  /** From a wake-up to the answer of the claim that got its instance, over the last 1,000, in milliseconds; null: none yet. */
  readonly wakeupToClaimMs: { readonly p50: number | null; readonly p99: number | null };
}

export interface NotifierWatchParts {
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once per change, before anybody else hears of it. */
  readonly onChange: (state: NotifierState) => void;
  /** The user's hook; never throws. */
  readonly tell: (event: NotifierStateEvent) => void;
}

export class NotifierWatch {
  readonly #parts: NotifierWatchParts;
  /** What the notifier said last. */
  #own: NotifierState = 'stopped';
  #isLossy = false;
  #effective: NotifierState = 'stopped';
  #since: number;

  constructor(parts: NotifierWatchParts) {
    this.#parts = parts;
    this.#since = parts.clock.now();
  }

  get state(): NotifierState {
    return this.#effective;
  }

  /** The notifier believes in itself: what is found by polling speaks against it. */
  get isTrusted(): boolean {
    return this.#own === 'healthy';
  }

  /** The notifier changed its state. */
  notifierIs(state: NotifierState, reason: string): void {
    this.#own = state;
    // It speaks of one connection; the next one may be better.
    if (state !== 'healthy') this.#isLossy = false;
    this.#update(reason);
  }

  /** Notes were found to get lost, or not any more. */
  lossyIs(isLossy: boolean, reason: string): void {
    this.#isLossy = isLossy;
    this.#update(reason);
  }

  /** All that the notifier tells, with the state that counts. */
  status(): NotifierStatus {
    const { state, since, ...rest } = this.#askNotifier();
    return { ...rest, ...(state === this.#effective ? { state, since } : { state: this.#effective, since: this.#since }) };
  }

  #update(reason: string): void {
    const state = this.#own === 'healthy' && this.#isLossy ? 'lossy' : this.#own;
    const previous = this.#effective;
    if (state === previous) return;
    this.#effective = state;
    this.#since = this.#parts.clock.now();
    const { logger, onChange, tell } = this.#parts;
    onChange(state);
    // Its own changes the notifier logs by itself.
    if (state === 'lossy') logger.warn('notes of other processes get lost; polling at the normal intervals', { reason });
    else if (previous === 'lossy' && state === 'healthy') logger.info('notes are trusted again', { reason });
    tell({ state, previous, reason });
  }

  #askNotifier(): NotifierStatus {
    try {
      return this.#parts.notifier.status();
    } catch {
      // It must not throw; an app's status never does.
      const unknown = { proofAgeMs: null, serverVersion: null, queueUsage: null };
      const none = { sent: 0, coalesced: 0, dropped: 0, received: 0, ignored: 0, reconnects: 0 };
      return { ...unknown, ...none, state: this.#effective, since: this.#since };
    }
  }
}
