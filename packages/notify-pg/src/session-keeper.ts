// Keeps one session open for ever: the only place that decides when to connect.
import type { Clock, Entropy } from '@romancy/core/ports';
import { backoffMs } from './backoff.js';
import type { OpenSession } from './open-session.js';

/** After so much health, failures of before are forgotten. */
const healthyMs = 30_000;
/** So far apart are attempts to connect at the least, also when each of them succeeds and is lost at once. */
const spacingMs = 100;

export interface SessionKeeperParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly reconnectDelayMs: number;
  /** @throws when it cannot be opened; `signal` aborts when nobody waits for it any more. */
  readonly open: (signal: AbortSignal) => Promise<OpenSession>;
  readonly onOpen: (open: OpenSession) => void;
  /** The session that was open is gone. A new one is tried for. */
  readonly onLost: (error: Error) => void;
  /** An attempt to open one failed. */
  readonly onFailed: (error: Error) => void;
}

export class SessionKeeper {
  readonly #parts: SessionKeeperParts;
  readonly #stopping = new AbortController();
  #open: OpenSession | null = null;
  /** When the open session was seen to do what it is for; null: not yet. */
  #provenAt: number | null = null;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #opened = 0;
  #cancelRetry: () => void = () => undefined;

  constructor(parts: SessionKeeperParts) {
    this.#parts = parts;
  }

  /** How often it was opened again after the first time. */
  get reopened(): number {
    return Math.max(0, this.#opened - 1);
  }

  start(): void {
    void this.#attempt();
  }

  /** The session does what it is for: its loss is answered at once. */
  proven(): void {
    this.#provenAt ??= this.#parts.clock.monotonic();
  }

  /** Tries no more. @returns the session that is open, to be closed by the caller. */
  stop(): OpenSession | null {
    this.#cancelRetry();
    this.#stopping.abort(new Error('stopped'));
    const open = this.#open;
    this.#open = null;
    return open;
  }

  async #attempt(): Promise<void> {
    const { clock, open: connect, onOpen, onFailed } = this.#parts;
    this.#attemptedAt = clock.monotonic();
    let open: OpenSession;
    try {
      open = await connect(this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      onFailed(error instanceof Error ? error : new Error(String(error)));
      this.#retryAfterFailure();
      return;
    }
    if (this.#stopping.signal.aborted) {
      open.session.destroy(new Error('stopped'));
      return;
    }
    this.#open = open;
    this.#provenAt = null;
    this.#opened++;
    open.session.whenLost((error) => this.#lost(open, error));
    onOpen(open);
  }

  #lost(open: OpenSession, error: Error): void {
    if (this.#open !== open) return;
    this.#open = null;
    const { clock, reconnectDelayMs, onLost } = this.#parts;
    const provenAt = this.#provenAt;
    onLost(error);
    if (provenAt === null) {
      this.#retryAfterFailure();
      return;
    }
    const now = clock.monotonic();
    if (now - provenAt >= healthyMs) this.#failures = 0;
    // At once, unless sessions come and go: a server that ends each of them is not to be asked in a circle.
    this.#retry(Math.min(spacingMs, reconnectDelayMs) - (now - this.#attemptedAt));
  }

  #retryAfterFailure(): void {
    this.#failures++;
    this.#retry(backoffMs(this.#failures, this.#parts.reconnectDelayMs, this.#parts.entropy));
  }

  #retry(delayMs: number): void {
    if (this.#stopping.signal.aborted) return;
    if (delayMs <= 0) void this.#attempt();
    else this.#cancelRetry = this.#parts.clock.schedule(delayMs, () => void this.#attempt());
  }
}
