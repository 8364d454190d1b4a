// Wake-ups between processes: an optional companion of a storage.
import type { Wakeup } from '../domain/wakeup.js';
import type { Clock } from './clock.js';
import type { Entropy } from './entropy.js';
import type { Logger } from './logger.js';

/**
 * - `stopped`: before start and after stop.
 * - `connecting`: not yet, or not any more, able to hear; tries again for ever.
 * - `catching_up`: hears again; one sweep of everything runs before it is trusted.
 * - `healthy`: what others send arrives. The only state in which polling may be slow.
 * - `undeliverable`: connected, but nothing arrives (a transaction pooler in between).
 * - `lossy`: healthy by its own proofs, but polling finds what notes should have told. Said by the scheduler, never by a notifier.
 */
export type NotifierState = 'stopped' | 'connecting' | 'catching_up' | 'healthy' | 'undeliverable' | 'lossy';

/** What the database is asked to send: on PostgreSQL, the arguments of `pg_notify`. */
export interface DatabaseNote {
  readonly channel: string;
  readonly payload: string;
}

/** What is to be sent of a change. Never throws. */
export type NotesOf = (wakeups: readonly Wakeup[]) => readonly DatabaseNote[];

/** What a notifier tells its host, and what it is given by it. */
export interface NotifierHost {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Guarded: never throws. */
  readonly logger: Logger;
  /** Option `notifyFallbackInterval` of the app, in milliseconds; for log lines. */
  readonly fallbackIntervalMs: number;
  /** Wake-ups from other processes (and possibly from this one). Never throws. */
  onWakeups(wakeups: readonly Wakeup[]): void;
  /** "Look at everything": a note that was too large, or a gap that must be caught up. Resolves when one sweep is done. Never rejects. */
  onSweep(): Promise<void>;
  /** A change of state. Called once per change. */
  onStateChange(state: NotifierState, reason: string): void;
  /** {@link Notifier.presence} changed. Called once per change. */
  onPresence(presence: string | null): void;
}

/** How a notifier does, for whoever watches it. Counters count from its start. */
export interface NotifierStatus {
  readonly state: NotifierState;
  /** When it came into this state: milliseconds since 1970. */
  readonly since: number;
  /** How long ago something that was sent was seen to arrive, in milliseconds; null: never yet. */
  readonly proofAgeMs: number | null;
  /** What the server calls itself; null: not known yet. */
  readonly serverVersion: string | null;
  /** How full the server's queue of notes is, from 0 to 1; null: not known. */
  readonly queueUsage: number | null;
  /** Notes sent. */
  readonly sent: number;
  /** Wake-ups that needed no note of their own, because an equal one went, one that names them too, or one for everything. */
  readonly coalesced: number;
  /** Wake-ups that could not be sent. */
  readonly dropped: number;
  /** Notes heard, of all processes. */
  readonly received: number;
  /** Notes among them that were malformed, unknown or too long. */
  readonly ignored: number;
  readonly reconnects: number;
}

/**
 * Carries wake-ups to other processes and hears theirs. It can make nothing fail: `send` never throws and never waits, a dead
 * connection costs latency only. Without a notifier everything is found by polling.
 */
export interface Notifier {
  /** Which storages it can stand beside: the `kind` of a {@link Storage}. */
  readonly storageKinds: readonly string[];
  readonly state: NotifierState;
  /**
   * What shows in the database for as long as this process's connection stands, and no longer: others find it gone long before a lease
   * runs out. Opaque to core; the storages it can stand beside know how to look it up. On PostgreSQL `advisory:<classid>:<objid>`, an
   * advisory lock by two signed 32-bit keys that the listening session holds. Null: no such sign at this moment.
   */
  readonly presence: string | null;
  /** Resolves as soon as it tries to connect; a failure to connect is a state, not a rejection. */
  start(host: NotifierHost): Promise<void>;
  /**
   * Set when the storage is to send the notes of a change within the transaction that makes it: `send` is then given only what belongs to
   * no such transaction. Left out: `send` is given everything, after the commit, and no statement of a notifier can hold up a commit.
   */
  readonly notesOf?: NotesOf | undefined;
  /** Takes wake-ups of changes that are committed. */
  send(wakeups: readonly Wakeup[]): void;
  status(): NotifierStatus;
  /** Sends what is gathered, closes, calls the host no more. May come twice and before start. */
  stop(): Promise<void>;
}
