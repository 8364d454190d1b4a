// Sends one claim until it is answered, so that nothing which a lost answer told of stays behind.
import type { Clock } from '../ports/clock.js';
import type { ClaimResult } from '../ports/claim.js';
import type { RunStore } from '../ports/run-store.js';
import type { Claimant } from './claimant.js';
import { onAbort } from './on-abort.js';
import type { StorageHealth } from './storage-health.js';
import type { StorageClock } from './storage-time.js';

export interface ClaimSenderParts {
  readonly runs: RunStore;
  readonly workflowNames: readonly string[];
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly clock: Clock;
  readonly historyLimit: number;
  readonly mailLimit: number;
}

export class ClaimSender {
  readonly #parts: ClaimSenderParts;
  readonly #signal: AbortSignal;

  /** @param signal aborts when no claim is to be sent any more */
  constructor(parts: ClaimSenderParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** Rejects for a reason that does not pass, and when the signal aborts between two tries. */
  async send(claimant: Claimant, limit: number): Promise<ClaimResult> {
    let isFirstTry = true;
    return await this.#parts.health.keepTrying(() => {
      if (isFirstTry) {
        isFirstTry = false;
        return this.#send(claimant, limit, null);
      }
      // The try before may have claimed and its answer got lost: what it claimed would be nobody's for as long as this process lives.
      // So this one tells what is held here, and that must be exact: with a commit under way, an instance that it puts away would be
      // told as held and could have been claimed by the lost try already, and one that it starts would be handed out a second time.
      return this.#unlessStopped(
        claimant.alone(async () => {
          this.#signal.throwIfAborted();
          return await this.#send(claimant, limit, claimant.holding());
        }),
      );
    }, this.#signal);
  }

  async #send(claimant: Claimant, limit: number, holding: readonly string[] | null): Promise<ClaimResult> {
    const { runs, workflowNames, storageClock, clock, historyLimit, mailLimit } = this.#parts;
    const sentAt = clock.monotonic();
    const answer = await runs.claim({ workerId: claimant.workerId, workflowNames, limit, historyLimit, mailLimit, holding });
    storageClock.observe(answer.now, sentAt);
    return answer;
  }

  /** Waits no longer than until the signal aborts: then rejects. */
  async #unlessStopped<T>(promise: Promise<T>): Promise<T> {
    let ignore: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => (ignore = onAbort(this.#signal, resolve)));
    try {
      return await Promise.race([promise, stopped.then(() => Promise.reject(this.#signal.reason as Error))]);
    } finally {
      ignore();
    }
  }
}
