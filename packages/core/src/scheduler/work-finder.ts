// Decides when to claim, and hands out what was claimed.
import { LeaseLostError } from '../domain/errors.js';
import type { Entropy } from '../ports/entropy.js';
import type { Logger } from '../ports/logger.js';
import type { NotifierState } from '../ports/notifier.js';
import type { PendingWork } from '../ports/lease-store.js';
import type { ClaimResult } from '../ports/claim.js';
import type { ClaimOutcome } from './claim-outcome.js';
import { ClaimSender, type ClaimSenderParts } from './claim-sender.js';
import type { Claimant } from './claimant.js';
import { DueTimer } from './due-timer.js';
import { jittered, pollIntervalMs, type PaceOptions } from './polling-pace.js';

/**
 * Why to claim. `told`: a wake-up. `due`: by the clock. `room`: a place became free, or the batch before was full. `poll`: it is time to look,
 * or upkeep says that something is there. `sweep`: whatever is there, asked for by somebody who missed something.
 */
export type ClaimCause = 'told' | 'due' | 'room' | 'poll' | 'sweep';

/**
 * So many claims in a row that notes, due times or sweeps asked for in vain, and the next one waits for a while: a flood of notes, of
 * whatever kind, must not become one of claims.
 */
const vainClaims = 20;
const longestPauseMs = 50;
/** After so long without a claim a flood is over: what comes then is not to wait. */
const floodEndsMs = 1000;

export interface WorkFinderParts extends ClaimSenderParts {
  readonly entropy: Entropy;
  readonly logger: Logger;
  readonly pace: PaceOptions;
  readonly batchSize: number;
  /** The worker at this moment; it changes when a lease was lost. */
  readonly claimant: () => Claimant | null;
  /** Called after each claim, when its runs have begun. */
  readonly onClaimed?: (outcome: ClaimOutcome) => void;
  /** Something is due at this time, which has come: decides who of all that know it requests a claim. By default, whoever does. */
  readonly onDue?: (moment: number) => void;
}

/**
 * At most one claim is in flight and one asked for, whatever the number of reasons: a poll, a wake-up, a due time, a free place.
 * A full batch is followed by another at once. Without room a wake-up or a due time claims nothing, and one bit remembers that there may be
 * work; polls and sweeps go on, since they tell of the attention of own instances too. Serving no workflow, it never claims.
 */
export class WorkFinder {
  readonly #parts: WorkFinderParts;
  readonly #abort = new AbortController();
  readonly #sender: ClaimSender;
  readonly #dueTimer: DueTimer;
  #notifier: NotifierState | null = null;
  #running: Promise<void> | null = null;
  readonly #causes = new Set<ClaimCause>();
  #hungry = true;
  /** That bit was set after the claim in flight was sent: its answer may be older than what set it. */
  #hungryAnew = false;
  /** Who waits for a sweep that has not been sent, or that goes on. */
  readonly #sweeping: (() => void)[] = [];
  /** Claims that followed each other, up to the latest, took something. */
  #took = false;
  #inVain = 0;
  /** When the latest claim was answered, by the monotonic clock. */
  #answeredAt = 0;
  #cancelPoll: (() => void) | null = null;
  #stopped = false;
  /** Claims made, for tests that count. */
  claims = 0;

  constructor(parts: WorkFinderParts) {
    this.#parts = parts;
    this.#sender = new ClaimSender(parts, this.#abort.signal);
    const { clock, storageClock, onDue = () => this.request('due') } = parts;
    this.#dueTimer = new DueTimer({ clock, storageTime: storageClock, onDue });
  }

  start(): void {
    this.request('sweep');
    this.#armPoll();
  }

  /** Begins no further claim; resolves when none is in flight. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#abort.abort(new Error('stopped'));
    this.#cancelPoll?.();
    this.#dueTimer.stop();
    await this.#running;
  }

  /** There may be work: claim soon. */
  request(cause: ClaimCause): void {
    if (this.#stopped || this.#parts.workflowNames.length === 0) return;
    if ((cause === 'told' || cause === 'due') && this.#keptForRoom()) return;
    this.#causes.add(cause);
    this.#running ??= this.#run();
  }

  /** A place became free: worth a claim if work was left lying. */
  roomFreed(): void {
    if (this.#hungry) this.request('room');
  }

  /**
   * Upkeep told what there is, as of `now` by the storage's clock; runs with attention are told. While the notifier is healthy it stands
   * for the poll: the wait for that begins anew when nothing is due.
   */
  heardOfWork({ nextDueAt, attention }: PendingWork, now: number): void {
    if (this.#stopped) return;
    if (attention.length > 0) this.#parts.claimant()?.attend(attention);
    if (nextDueAt !== null && nextDueAt <= now) {
      if (!this.#keptForRoom()) this.request('poll');
      return;
    }
    if (nextDueAt !== null) this.dueAt(nextDueAt);
    if (this.#notifier === 'healthy') this.#armPoll();
  }

  /** Something is due at that time by the storage's clock. */
  dueAt(moment: number): void {
    if (!this.#stopped) this.#dueTimer.arm(moment);
  }

  /**
   * Claims until nothing is left to claim that has room. What others ask for meanwhile is not waited for: under load there is always
   * something. Never rejects.
   */
  async sweep(): Promise<void> {
    if (this.#stopped || this.#parts.workflowNames.length === 0) return;
    const swept = new Promise<void>((resolve) => this.#sweeping.push(resolve));
    this.request('sweep');
    await swept;
  }

  /** The pace follows the notifier's state at once, not after the interval that was running. */
  notifierIs(state: NotifierState): void {
    this.#notifier = state;
    if (!this.#stopped) this.#armPoll();
  }

  get pollIntervalMs(): number {
    return pollIntervalMs(this.#parts.pace, this.#notifier);
  }

  /** Without room: remembers for the next free place that there may be work. False: there is room. */
  #keptForRoom(): boolean {
    // Less than none: a run that has left was claimed anew before its end was known here.
    if ((this.#parts.claimant()?.room ?? 1) > 0) return false;
    this.#hungry = true;
    this.#hungryAnew = true;
    return true;
  }

  /** The one timer that keeps the process alive: a worker lives until it is stopped, whatever else its process has to do. */
  #armPoll(): void {
    this.#cancelPoll?.();
    const interval = jittered(this.pollIntervalMs, this.#parts.entropy);
    const poll = (): void => {
      this.request('poll');
      this.#armPoll();
    };
    this.#cancelPoll = this.#parts.clock.schedule(interval, poll, { keepAlive: true });
  }

  async #run(): Promise<void> {
    // Never to its end within the call: while there is nobody to claim for, it would be over before `#running` is set, for ever.
    await Promise.resolve();
    while (this.#causes.size > 0 && !this.#stopped) {
      if (this.#parts.clock.monotonic() - this.#answeredAt >= floodEndsMs) this.#inVain = 0;
      if (this.#inVain > vainClaims) {
        const pauseMs = Math.min(longestPauseMs, this.#inVain - vainClaims);
        await this.#parts.health.pause(pauseMs, this.#abort.signal);
        if (this.#stopped) break;
      }
      const causes = new Set(this.#causes);
      this.#causes.clear();
      // Taken before the claim is sent: who asks while it is in flight may have missed what its snapshot does not have.
      const sweeping = this.#sweeping.splice(0);
      const claimant = this.#parts.claimant();
      const goesOn = claimant !== null && (await this.#claim(claimant, causes));
      if (goesOn) this.#sweeping.unshift(...sweeping);
      else for (const resolve of sweeping) resolve();
    }
    for (const resolve of this.#sweeping.splice(0)) resolve();
    this.#running = null;
  }

  /** Whether it goes on: with what the batch had no place for, or since a place became free that it did not know of. Never rejects. */
  async #claim(claimant: Claimant, causes: ReadonlySet<ClaimCause>): Promise<boolean> {
    const limit = Math.max(0, Math.min(claimant.room, this.#parts.batchSize));
    const isPoll = !this.#hungry && limit > 0 && causes.size === 1 && causes.has('poll');
    this.#hungryAnew = false;
    try {
      const sentAt = this.#parts.clock.monotonic();
      const result = await this.#sender.send(claimant, limit);
      this.claims++;
      for (const claimed of result.claimed) claimant.begin(claimed);
      const attention = claimant.surprised(result.attention);
      if (result.attention.length > 0) claimant.attend(result.attention);
      if (result.claimed.length > 0) this.#inVain = 0;
      else if (causes.has('told') || causes.has('due') || causes.has('sweep')) this.#inVain++;
      this.#answeredAt = this.#parts.clock.monotonic();
      const { nextDueAt } = result;
      const isDue = nextDueAt !== null && nextDueAt <= result.now;
      this.#hungry = isDue || this.#hungryAnew;
      const goesOn = isDue && claimant.room > 0 && (result.claimed.length > 0 || limit === 0);
      this.#took ||= result.claimed.length > 0;
      if (goesOn) this.#causes.add('room');
      const next = goesOn ? null : this.#next(result, claimant);
      if (!goesOn) this.#took = false;
      if (next !== null) this.dueAt(next.at);
      this.#parts.onClaimed?.({
        claimed: result.claimed.map(({ instanceId }) => instanceId),
        attention,
        isPoll,
        isTold: causes.has('told'),
        isDue: causes.has('due'),
        sentAt,
        next,
      });
      return goesOn;
    } catch (error) {
      if (error instanceof LeaseLostError) claimant.leaseLost(error);
      // Not a passing fault (that would have been tried again): say it, and let the next poll try.
      else if (!this.#stopped) this.#parts.logger.error('a claim failed', { error: String(error) });
      return false;
    }
  }

  /** When something is due after a claim that no other one follows at once. */
  #next({ nextDueAt, now }: ClaimResult, claimant: Claimant): ClaimOutcome['next'] {
    if (nextDueAt === null) return null;
    if (nextDueAt > now) return { at: nextDueAt, isKnownHere: this.#took };
    // What is due is locked at this moment, most often by another's claim, which may leave it.
    return claimant.room > 0 ? { at: now + this.#parts.pace.workflowPollIntervalMs, isKnownHere: true } : null;
  }
}
