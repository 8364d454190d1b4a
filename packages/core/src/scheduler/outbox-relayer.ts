// Decides when to claim events of the outbox, for whatever identity this process has.
import { AsyncResource } from 'node:async_hooks';
import type { LeaseLostError } from '../domain/errors.js';
import type { Wakeup } from '../domain/wakeup.js';
import type { HookCaller } from '../engine/run-services.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Entropy } from '../ports/entropy.js';
import type { Logger } from '../ports/logger.js';
import type { NotifierState } from '../ports/notifier.js';
import type { OutboxStore } from '../ports/outbox-store.js';
import { EventEnds } from './event-ends.js';
import { OutboxTurns } from './outbox-turns.js';
import { jittered } from './polling-pace.js';
import { RelaySession, type EventClaim } from './relay-session.js';
import { SinkWatch } from './sink-watch.js';
import type { StorageClock } from './storage-time.js';
import type { StorageHealth } from './storage-health.js';
import type { SendOptions } from './stream-sender.js';
import type { WakeupHub } from './wakeup-hub.js';

export interface RelayOptions extends SendOptions {
  /** At most so many events in one claim. */
  readonly batchSize: number;
}

export interface OutboxRelayerParts {
  readonly outbox: OutboxStore;
  readonly options: RelayOptions;
  readonly pollIntervalMs: number;
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
  readonly hooks: HookCaller;
  readonly codec: Codec;
  readonly maxPayloadBytes: number;
  readonly hub: WakeupHub;
  /** Other workers that send events, as far as is known. */
  readonly relayers: () => readonly string[];
  readonly onLeaseLost: (error: LeaseLostError) => void;
}

/** How sending does. */
export interface OutboxView {
  /** Events that this process has claimed and not recorded yet. */
  readonly holding: number;
  /** Since the start. */
  readonly sent: number;
  /** Failed for good, or invalid, since the start. */
  readonly givenUp: number;
  /** The latest attempts all failed in a way that may pass. */
  readonly isDown: boolean;
  readonly claims: number;
}

/** So many claims in a row that notes asked for in vain, and the next one waits for a while, as with instances. */
const vainClaims = 20;
const longestPauseMs = 50;
/** After so long without a note a flood is over. */
const floodEndsMs = 1000;
/** What is due and could not be had is tried again after this, then after twice as long each time, up to the poll interval. */
const collisionDelayMs = 20;
/** Due times that lie closer together share a claim: with thousands of streams there is one every few milliseconds, */
const dueGapMs = 20;
/** and while nothing can be sent none of them is in a hurry. */
const dueGapWhileDownMs = 1000;

/**
 * At most one claim is in flight and one asked for. A claim is asked for by what this process or (by turns) another announced, by a due time, by
 * upkeep that says that something is due, at the pace of polling where the notifier is not healthy, and by a claim that left something due.
 */
export class OutboxRelayer {
  readonly #parts: OutboxRelayerParts;
  readonly #context = new AsyncResource('romancy.outbox');
  readonly #sinks: SinkWatch;
  readonly #ends: EventEnds;
  readonly #turns: OutboxTurns;
  #session: RelaySession | null = null;
  #notifier: NotifierState | null = null;
  #isStarted = false;
  #isStopped = false;
  /** Claims in a row that notes asked for and that found nothing. */
  #inVain = 0;
  /** A note has asked since the last claim was answered. */
  #isTold = false;
  /** When the latest note asked, by the monotonic clock. */
  #toldAt = 0;
  #cancelPause: (() => void) | null = null;
  #cancelPoll: (() => void) | null = null;
  #cancelDue: (() => void) | null = null;
  #armedFor: number | null = null;
  /** Claims in a row that found something due and could not have it. */
  #collisions = 0;
  /** When the next due time may claim, by the monotonic clock. */
  #dueNotBefore = 0;
  #earlierClaims = 0;

  constructor(parts: OutboxRelayerParts) {
    const { clock, entropy, logger, hooks, relayers } = parts;
    this.#parts = parts;
    this.#sinks = new SinkWatch({ clock, logger });
    this.#ends = new EventEnds({ hooks, logger });
    const workerId = (): string | null => this.#session?.workerId ?? null;
    this.#turns = new OutboxTurns({ clock, entropy, relayers, workerId, claim: () => this.#wantSoon() });
    parts.hub.on('wakeups', this.#told);
  }

  /** From here on it claims by itself. */
  start(): void {
    this.#isStarted = true;
    this.#session?.want();
    this.#armPoll();
  }

  /** This process has an identity. */
  joined(workerId: string): void {
    if (this.#isStopped) return;
    const { outbox, options, health, storageClock, clock, entropy, logger, codec, maxPayloadBytes } = this.#parts;
    this.#session = new RelaySession({
      workerId,
      outbox,
      batchSize: options.batchSize,
      sender: { options, clock, storageTime: storageClock, entropy, codec, maxPayloadBytes, context: this.#context },
      health,
      storageClock,
      clock,
      logger,
      sinks: this.#sinks,
      ends: this.#ends,
      onClaimed: (claim) => this.#claimed(claim),
      onRetry: (dueAt) => this.dueAt(dueAt),
      onFault: () => this.dueAt(storageClock.now() + this.#parts.pollIntervalMs),
      onLeaseLost: (error) => this.#parts.onLeaseLost(error),
    });
    if (this.#isStarted) this.#session.want();
  }

  /** It has none any more: what it had belongs to others. */
  left(reason: Error): void {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    this.#earlierClaims += session.claims;
    session.drop(reason);
  }

  /** Upkeep told when there is something to claim next, as of `now` by the storage's clock; null: nothing. */
  heardOfWork(nextDueAt: number | null, now: number): void {
    if (nextDueAt === null) return;
    if (nextDueAt <= now) this.#want();
    else this.dueAt(nextDueAt);
  }

  /** Somebody's events may be free: he is dead. */
  othersLeft(): void {
    this.#want();
  }

  /** Something is due at that time by the storage's clock. */
  dueAt(moment: number): void {
    if (this.#isStopped || (this.#armedFor !== null && this.#armedFor <= moment)) return;
    this.#cancelDue?.();
    this.#armedFor = moment;
    const { clock, storageClock } = this.#parts;
    const delay = Math.max(0, moment - storageClock.now(), this.#dueNotBefore - clock.monotonic());
    this.#cancelDue = clock.schedule(delay, () => {
      this.#armedFor = null;
      this.#cancelDue = null;
      this.#dueNotBefore = clock.monotonic() + (this.#sinks.isDown ? dueGapWhileDownMs : dueGapMs);
      this.#want();
    });
  }

  /** The pace follows the notifier's state at once. */
  notifierIs(state: NotifierState): void {
    this.#notifier = state;
    if (this.#isStarted) this.#armPoll();
  }

  /** Claims what was announced while nobody heard it; resolves then. Never rejects. */
  async sweep(): Promise<void> {
    if (this.#isStarted && !this.#isStopped) await this.#session?.claimed();
  }

  /** Begins nothing more, and waits until `deadline` for what is being sent. @returns wake-ups of what is left to others. */
  async stop(deadline: AbortSignal): Promise<readonly Wakeup[]> {
    this.#isStopped = true;
    this.#parts.hub.off('wakeups', this.#told);
    this.#turns.stop();
    this.#cancelPause?.();
    this.#cancelPoll?.();
    this.#cancelDue?.();
    const eventId = await this.#session?.drain(deadline);
    return eventId === undefined ? [] : [{ kind: 'outbox_pending', eventId }];
  }

  view(): OutboxView {
    const { sent, givenUp } = this.#ends;
    const { claims = 0, holding = 0 } = this.#session ?? {};
    return { holding, sent, givenUp, isDown: this.#sinks.isDown, claims: this.#earlierClaims + claims };
  }

  #want(): void {
    if (this.#isStarted && !this.#isStopped) this.#session?.want();
  }

  /** A flood of notes must not become one of claims. */
  #wantSoon(): void {
    const now = this.#parts.clock.monotonic();
    if (now - this.#toldAt >= floodEndsMs) this.#inVain = 0;
    this.#toldAt = now;
    this.#isTold = true;
    if (this.#inVain <= vainClaims) {
      this.#want();
      return;
    }
    const pauseMs = Math.min(longestPauseMs, this.#inVain - vainClaims);
    this.#cancelPause ??= this.#parts.clock.schedule(pauseMs, () => {
      this.#cancelPause = null;
      this.#want();
    });
  }

  readonly #told = (wakeups: readonly Wakeup[], from: 'here' | 'elsewhere'): void => {
    let isOwn = false;
    for (const wakeup of wakeups) {
      if (wakeup.kind !== 'outbox_pending') continue;
      this.#session?.heard();
      if (from === 'here') isOwn = true;
      else this.#turns.announced(wakeup.eventId);
    }
    if (isOwn) this.#wantSoon();
  };

  #claimed({ count, nextDueAt, now }: EventClaim): void {
    this.#turns.claimed(count);
    // It had none, now it has some.
    if (count > 0 && this.#session?.holding === count) this.#parts.hub.emit('busy');
    if (count > 0) this.#inVain = 0;
    else if (this.#isTold) this.#inVain++;
    this.#isTold = false;
    const isLeft = nextDueAt !== null && nextDueAt <= now;
    this.#collisions = isLeft && count === 0 ? this.#collisions + 1 : 0;
    if (this.#collisions > 0) {
      // It is locked at this moment, most often by another's claim, which takes a part of it.
      const { pollIntervalMs, entropy } = this.#parts;
      const delay = Math.min(pollIntervalMs, collisionDelayMs * 2 ** Math.min(20, this.#collisions - 1));
      this.dueAt(now + jittered(delay, entropy));
    } else if (isLeft) this.#want();
    else if (nextDueAt !== null) this.dueAt(nextDueAt);
  }

  /** With a healthy notifier there are no polls: who wrote an event tells, and upkeep finds what nobody told. */
  #armPoll(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = null;
    if (this.#isStopped || this.#notifier === 'healthy') return;
    const { clock, entropy, pollIntervalMs } = this.#parts;
    const poll = (): void => {
      this.#want();
      this.#armPoll();
    };
    this.#cancelPoll = clock.schedule(jittered(pollIntervalMs, entropy), poll, { keepAlive: true });
  }
}
