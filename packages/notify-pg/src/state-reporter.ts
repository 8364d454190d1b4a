// The state, since when, and the log lines about it: one per change, one a minute while it is down.
import type { Clock, Logger, NotifierState } from '@romancy/core/ports';

const summaryMs = 60_000;

export interface StateReporterParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reconnectDelayMs: number;
  readonly fallbackIntervalMs: number;
  /** Called once per change, after the line about it. */
  readonly onChange: (state: NotifierState, reason: string) => void;
}

export class StateReporter {
  readonly #parts: StateReporterParts;
  #state: NotifierState = 'stopped';
  #since: number;
  /** What is in the way, as far as is known. */
  #problem = 'not connected yet';
  /** Attempts to connect that failed since it last heard anything. */
  #failures = 0;
  #isTold = false;
  #cancelSummary: () => void = () => undefined;

  constructor(parts: StateReporterParts) {
    this.#parts = parts;
    this.#since = parts.clock.now();
  }

  get state(): NotifierState {
    return this.#state;
  }

  /** Milliseconds since 1970. */
  get since(): number {
    return this.#since;
  }

  started(): void {
    const { logger, fallbackIntervalMs } = this.#parts;
    logger.info('PostgreSQL LISTEN/NOTIFY configured', {
      fallback_interval: durationText(fallbackIntervalMs),
      reconnect_delay: this.#reconnectDelay,
    });
    this.#change('connecting', 'started');
    this.#armSummary();
  }

  /** An attempt to connect failed. The first one after start has a line; later ones are in the summary. */
  connectFailed(error: Error): void {
    this.#failures++;
    this.#problem = error.message;
    if (this.#state === 'undeliverable') this.lost(error);
    else if (this.#state === 'connecting' && !this.#isTold) {
      this.#isTold = true;
      this.#warn('LISTEN/NOTIFY connection failed, retrying');
    }
  }

  /** It hears no more, or cannot know whether it does. */
  lost(error: Error): void {
    this.#problem = error.message;
    if (this.#state === 'connecting' || this.#state === 'stopped') return;
    this.#isTold = true;
    this.#warn('LISTEN/NOTIFY connection lost, reconnecting');
    this.#change('connecting', error.message);
  }

  /** Connected, but what is sent does not arrive. */
  undeliverable(): void {
    this.#problem = 'what is sent does not arrive: a pooler in transaction mode is probably in between';
    if (this.#state === 'undeliverable') return;
    this.#parts.logger.warn(
      'LISTEN/NOTIFY is connected, but what is sent does not arrive: LISTEN does not work through transaction pooling (PgBouncer with ' +
        'pool_mode = transaction and its like). Give createPgNotifier a connectionString that leads to the server itself. Polling goes on; ' +
        'it is tried again from time to time',
      { reconnect_delay: this.#reconnectDelay },
    );
    this.#change('undeliverable', this.#problem);
  }

  /** It hears; a sweep comes next. */
  established(serverVersion: string): void {
    this.#failures = 0;
    this.#isTold = false;
    this.#parts.logger.info('PostgreSQL LISTEN/NOTIFY connection established', { server_version: serverVersion });
    this.#change('catching_up', 'connected');
  }

  healthy(): void {
    this.#parts.logger.debug('PostgreSQL LISTEN/NOTIFY caught up');
    this.#change('healthy', 'caught up');
  }

  /** Says nothing to anybody any more. */
  stopped(): void {
    this.#cancelSummary();
    this.#state = 'stopped';
    this.#since = this.#parts.clock.now();
  }

  #change(state: NotifierState, reason: string): void {
    this.#state = state;
    this.#since = this.#parts.clock.now();
    this.#parts.onChange(state, reason);
  }

  #armSummary(): void {
    this.#cancelSummary = this.#parts.clock.schedule(summaryMs, () => {
      const isDown = this.#state === 'connecting' || this.#state === 'undeliverable';
      // What is down for less than a minute was told by the line about it.
      const forMs = this.#parts.clock.now() - this.#since;
      if (isDown && forMs >= summaryMs - 1) {
        this.#warn('LISTEN/NOTIFY is still down, polling', {
          state: this.#state,
          down_for: durationText(Math.round(forMs / 1000) * 1000),
          failed_attempts: this.#failures,
        });
      }
      this.#armSummary();
    });
  }

  #warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#parts.logger.warn(message, { error: this.#problem, reconnect_delay: this.#reconnectDelay, ...fields });
  }

  get #reconnectDelay(): string {
    return durationText(this.#parts.reconnectDelayMs);
  }
}

/** `30s` where it comes out even, otherwise `250ms`. */
function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
