// `sleep` and `sleepUntil`: a due time recorded at the call, and the moment at which it was over.
import type { HistoryEntry } from '../../domain/history.js';
import type { CallIdentity } from '../call-ids.js';
import type { CallHost, DurableCall, Waiting } from './durable-call.js';

/** The first recorded due time counts, on whichever process and however often the code runs again. */
export class SleepCall implements DurableCall {
  readonly verb = 'sleep';
  readonly position: number;
  readonly id: string;
  readonly promise: Promise<void>;
  isLive = false;
  readonly #host: CallHost;
  readonly #dueAt: () => number;
  #resolve!: () => void;
  #waiting: Waiting | null = null;

  /** @param options `dueAt` is asked once, when the sleep really begins. */
  constructor(host: CallHost, options: CallIdentity & { readonly dueAt: () => number }) {
    this.#host = host;
    this.position = options.position;
    this.id = options.id;
    this.#dueAt = options.dueAt;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get waiting(): Waiting | null {
    return this.#waiting;
  }

  apply(entry: HistoryEntry): boolean {
    if (entry.kind === 'timer_set') {
      this.#waiting = { status: 'waiting_for_timer', dueAt: entry.dueAt };
      return false;
    }
    this.#waiting = null;
    this.#resolve();
    return true;
  }

  goLive(): void {
    if (this.#waiting !== null) return;
    this.#host.recordAtCall(this, { kind: 'timer_set', data: null, dueAt: this.#dueAt() });
  }

  expire(): void {
    this.#waiting = null;
    this.#host.propose({ call: this, kind: 'timer_fired', data: null, dueAt: null });
  }

  abandon(): void {
    this.#waiting = null;
  }
}
