// Renews the lease of this process, declares others dead, and hears from the storage what there is to do.
import { LeaseLostError } from '../domain/errors.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import type { LeaseStore, PendingWork, UpkeepResult } from '../ports/lease-store.js';
import type { Logger } from '../ports/logger.js';
import { PresenceWatch } from './presence-watch.js';
import { jittered } from './polling-pace.js';
import type { StorageClock } from './storage-time.js';
import type { StorageHealth } from './storage-health.js';

export interface LeaseKeeperParts {
  readonly leases: LeaseStore;
  readonly leaseMs: number;
  /** How often the lease is renewed. */
  readonly renewalMs: number;
  /** How often to look for the dead in between, where nothing says that it is worth more. */
  readonly lookMs: number;
  readonly workflowNames: readonly string[];
  /** This process sends events of the outbox. Default false. */
  readonly isRelayer?: boolean;
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
  /** The worker at this moment; null while it joins again. */
  readonly workerId: () => string | null;
  /** The sign of this process that its notifier holds. */
  readonly presence: () => string | null;
  readonly onLeaseLost: (error: LeaseLostError) => void;
  /** Instances of a dead worker can be claimed. */
  readonly onReleased: (wakeups: readonly Wakeup[]) => void;
  /** Others were declared dead: what they had of the outbox can be claimed as well. Default: that matters to nobody. */
  readonly onReaped?: () => void;
  /** What there is to do, as of `now` by the storage's clock. */
  readonly onWork: (work: PendingWork, now: number) => void;
}

/**
 * One upkeep is in flight at a time: a slow storage is not asked twice at once. What is asked for meanwhile comes right behind it, so that a
 * presence which was withdrawn is withdrawn by an upkeep that is sent after that.
 */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #watch: PresenceWatch;
  readonly #abort = new AbortController();
  #renewAt = Number.POSITIVE_INFINITY;
  #lookAt = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;
  #underWay: Promise<void> | null = null;
  #peers: readonly string[] = [];
  #relayers: readonly string[] = [];
  /** How many others look as this process does: those of the two lists. */
  #watchers = 0;
  /** The sign that the last answered renewal named. */
  #shown: string | null = null;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
    // Who can take over nothing need not know that soon; to be told at the next renewal is enough.
    this.#watch = new PresenceWatch({ ...parts, watches: parts.workflowNames.length > 0 || parts.isRelayer === true });
  }

  /** Other workers of the same workflows, as the last upkeep saw them. */
  get peers(): readonly string[] {
    return this.#peers;
  }

  /** Other workers that send events of the outbox, likewise. */
  get relayers(): readonly string[] {
    return this.#relayers;
  }

  /** How many other workers are peers or relayers: who would take over what this one has. */
  get watchers(): number {
    return this.#watchers;
  }

  start(): void {
    this.#plan();
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('stopped'));
    this.#cancelTimer?.();
    await this.#underWay;
  }

  /** The presence has changed, or the worker is a new one: says so without waiting for the next beat. */
  renewNow(): void {
    this.#renewAt = this.#parts.clock.monotonic();
    this.#arm();
  }

  /** Another worker has runs, or events to send, in memory. */
  othersAreBusy(): void {
    this.#watch.othersAreBusy();
    this.#lookAt = Math.min(this.#lookAt, this.#parts.clock.monotonic() + this.#lookInterval());
    this.#arm();
  }

  #lookInterval(): number {
    const { lookMs, entropy } = this.#parts;
    return Math.min(jittered(lookMs, entropy), this.#watch.intervalMs(this.#watchers));
  }

  /** When it is time again, counted from the end of what was done. */
  #plan(): void {
    const { clock, entropy, renewalMs } = this.#parts;
    const now = clock.monotonic();
    // Asked for anew while one was under way, it is due at once.
    if (this.#renewAt === Number.POSITIVE_INFINITY) this.#renewAt = now + jittered(renewalMs, entropy);
    this.#lookAt = Math.min(now + this.#lookInterval(), this.#watch.graceEndsAt());
  }

  #arm(): void {
    if (this.#abort.signal.aborted || this.#underWay !== null) return;
    this.#cancelTimer?.();
    const { clock } = this.#parts;
    const delay = Math.max(0, Math.min(this.#renewAt, this.#lookAt) - clock.monotonic());
    this.#cancelTimer = clock.schedule(delay, () => {
      this.#underWay = this.#beat()
        .catch((error: unknown) => {
          if (!this.#abort.signal.aborted) this.#parts.logger.error('an upkeep of the lease failed', { error: String(error) });
        })
        .finally(() => {
          this.#underWay = null;
          this.#plan();
          this.#arm();
        });
    });
  }

  async #beat(): Promise<void> {
    const { leases, leaseMs, workflowNames, health, storageClock, clock } = this.#parts;
    const workerId = this.#parts.workerId();
    const begunAt = clock.monotonic();
    // A tenth of an interval early is as good: a look that is due now and a renewal soon are one upkeep.
    const renews = this.#renewAt <= begunAt + this.#parts.renewalMs / 10;
    if (renews) this.#renewAt = Number.POSITIVE_INFINITY;
    if (workerId === null) return;
    const mark = this.#watch.mark();
    let tries = 0;
    let wasCutOff = false;
    const answer = await health.keepTrying(async () => {
      const sentAt = clock.monotonic();
      const isRepeated = tries++ > 0;
      // The presence is asked for at each try: it may have changed during an outage. And after a look whose answer was lost, which may have
      // released instances without a word, only a renewal tells of work.
      const renewal = renews || isRepeated ? { leaseMs, presence: this.#parts.presence(), workflowNames } : null;
      // What was suspected before an outage has ripened in it, while the suspect may have had no way to say that he lives. An own sign that
      // is gone tells of an outage that was over before this process had anything to ask, as a failover can be.
      const hasLostSign = renewal !== null && this.#shown !== null && renewal.presence !== this.#shown;
      wasCutOff = isRepeated || hasLostSign;
      const result = await leases.upkeep({ workerId, renewal, suspects: wasCutOff ? [] : this.#watch.suspects() });
      storageClock.observe(result.now, sentAt);
      if (renewal !== null) this.#shown = renewal.presence;
      return result;
    }, this.#abort.signal);
    if (!answer.alive) {
      this.#parts.onLeaseLost(new LeaseLostError({ workerId }));
      return;
    }
    this.#watch.saw(answer, { mark, wasCutOff });
    this.#tell(answer);
  }

  #tell({ peers, relayers, reaped, wakeups, work, now }: UpkeepResult): void {
    this.#peers = peers;
    this.#relayers = relayers;
    this.#watchers = new Set([...peers, ...relayers]).size;
    for (const dead of reaped) {
      this.#parts.logger.warn('a worker is dead, its runs go on elsewhere', { workerId: dead.workerId, released: dead.released });
    }
    if (reaped.length > 0) this.#parts.onReaped?.();
    if (wakeups.length > 0) this.#parts.onReleased(wakeups);
    if (work !== null) this.#parts.onWork(work, now);
  }
}
