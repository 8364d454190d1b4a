// Puts two sessions, what is sent, what is heard and the proofs together: the state machine of ARCHITECTURE.md.
import type { Notifier, NotifierHost, NotifierState, NotesOf, NotifierStatus, Wakeup } from '@romancy/core/ports';
import { NotifierLife } from './notifier-life.js';
import { transactionNotes } from './transaction-notes.js';
import type { ResolvedOptions } from './pg-notifier-options.js';

export class PgNotifier implements Notifier {
  readonly storageKinds = Object.freeze(['postgres']);
  readonly notesOf: NotesOf | undefined;
  readonly #options: ResolvedOptions;
  #life: NotifierLife | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.notesOf = options.isTransactional ? transactionNotes(options.channels) : undefined;
  }

  get state(): NotifierState {
    return this.#life?.state ?? 'stopped';
  }

  get presence(): string | null {
    return this.#life?.presence ?? null;
  }

  /** After a stop it may be started again; counters begin anew then. */
  async start(host: NotifierHost): Promise<void> {
    if (this.#life !== null && this.#life.state !== 'stopped') return;
    this.#life = new NotifierLife(this.#options, host);
    this.#life.start();
  }

  send(wakeups: readonly Wakeup[]): void {
    this.#life?.send(wakeups);
  }

  status(): NotifierStatus {
    return this.#life?.status() ?? neverStarted;
  }

  async stop(): Promise<void> {
    await this.#life?.stop();
  }
}

const neverStarted: NotifierStatus = Object.freeze({
  state: 'stopped',
  since: 0,
  proofAgeMs: null,
  serverVersion: null,
  queueUsage: null,
  sent: 0,
  coalesced: 0,
  dropped: 0,
  received: 0,
  ignored: 0,
  reconnects: 0,
});
