// Renews the lease of this process and declares others dead.
import { LeaseLostError } from '../domain/errors.js';
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import type { LeaseStore } from '../ports/lease-store.js';
import type { Logger } from '../ports/logger.js';
import { jittered } from './polling-pace.js';
import type { StorageClock } from './storage-time.js';
import type { StorageHealth } from './storage-health.js';

export interface LeaseKeeperParts {
  readonly leases: LeaseStore;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly reapIntervalMs: number;
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
  /** The worker at this moment; null while it joins again. */
  readonly workerId: () => string | null;
  readonly onLeaseLost: (error: LeaseLostError) => void;
  /** Runs of a dead worker can be claimed. */
  readonly onReleased: () => void;
}

/** Two beats of their own: one says "I live", one asks who does not. */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #abort = new AbortController();
  readonly #timers = new Set<() => void>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#every(this.#parts.heartbeatMs, () => this.#heartbeat());
    this.#every(this.#parts.reapIntervalMs, () => this.#reap());
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('stopped'));
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await Promise.all(this.#underWay);
  }

  /** The next beat is armed when the one before is over: a slow storage is not asked twice at once. */
  #every(intervalMs: number, beat: () => Promise<void>): void {
    const arm = (): void => {
      if (this.#abort.signal.aborted) return;
      const cancel = this.#parts.clock.schedule(jittered(intervalMs, this.#parts.entropy), () => {
        this.#timers.delete(cancel);
        const going = beat()
          .catch((error: unknown) => {
            if (!this.#abort.signal.aborted) this.#parts.logger.error('a beat of the lease failed', { error: String(error) });
          })
          .finally(() => {
            this.#underWay.delete(going);
            arm();
          });
        this.#underWay.add(going);
      });
      this.#timers.add(cancel);
    };
    arm();
  }

  async #heartbeat(): Promise<void> {
    const { leases, leaseMs, health, storageClock, clock } = this.#parts;
    const workerId = this.#parts.workerId();
    if (workerId === null) return;
    const { alive } = await health.keepTrying(async () => {
      const sentAt = clock.monotonic();
      const answer = await leases.heartbeat({ workerId, leaseMs });
      storageClock.observe(answer.now, sentAt);
      return answer;
    }, this.#abort.signal);
    if (!alive) this.#parts.onLeaseLost(new LeaseLostError({ workerId }));
  }

  async #reap(): Promise<void> {
    const workerId = this.#parts.workerId();
    if (workerId === null) return;
    const { reaped } = await this.#parts.health.keepTrying(() => this.#parts.leases.reap({ workerId }), this.#abort.signal);
    for (const dead of reaped) {
      this.#parts.logger.warn('a worker is dead, its runs go on elsewhere', { workerId: dead.workerId, released: dead.released });
    }
    if (reaped.some((dead) => dead.released > 0)) this.#parts.onReleased();
  }
}
