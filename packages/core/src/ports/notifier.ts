// Wake-ups between processes: an optional companion of a storage.
import type { Wakeup } from '../domain/wakeup.js';

/**
 * - `stopped`: before start and after stop.
 * - `connecting`: not yet, or not any more, able to hear; tries again for ever.
 * - `catching_up`: hears again; one sweep of everything runs before it is trusted.
 * - `healthy`: what others send arrives. The only state in which polling may be slow.
 * - `undeliverable`: connected, but nothing arrives (a transaction pooler in between).
 * - `lossy`: healthy by its own proofs, but polling finds what notes should have told.
 */
export type NotifierState = 'stopped' | 'connecting' | 'catching_up' | 'healthy' | 'undeliverable' | 'lossy';

/** What a notifier tells its host. */
export interface NotifierHost {
  /** Wake-ups from other processes (and possibly from this one). Never throws. */
  onWakeups(wakeups: readonly Wakeup[]): void;
  /** "Look at everything": a note that was too large, or a gap that must be caught up. Resolves when one sweep is done. Never rejects. */
  onSweep(): Promise<void>;
  /** A change of state. Called once per change. */
  onStateChange(state: NotifierState, reason: string): void;
}

/**
 * Carries wake-ups to other processes and hears theirs. It can make nothing fail: `send` never throws and never waits, a dead
 * connection costs latency only. Without a notifier everything is found by polling.
 */
export interface Notifier {
  /** Which storages it can stand beside: the `kind` of a {@link Storage}. */
  readonly storageKinds: readonly string[];
  readonly state: NotifierState;
  /** Resolves as soon as it tries to connect; a failure to connect is a state, not a rejection. */
  start(host: NotifierHost): Promise<void>;
  /** Takes wake-ups of changes that are committed. */
  send(wakeups: readonly Wakeup[]): void;
  /** Sends what is gathered, closes, calls the host no more. May come twice and before start. */
  stop(): Promise<void>;
}
