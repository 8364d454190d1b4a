// A durable call whose outcome is an answer: asked for once it is live, recorded, and handed to the code like any other.
import type { HistoryEntry, HistoryKind } from '../../domain/history.js';
import type { CallIdentity } from '../call-ids.js';
import type { Verb } from '../determinism.js';
import type { ExtraFacts } from '../entry-extras.js';
import type { CallHost, DurableCall } from './durable-call.js';

/** An answer as it is recorded. */
export interface Answer {
  readonly kind: HistoryKind;
  /** JSON text made by the codec. */
  readonly data: string;
  readonly extras?: ExtraFacts | undefined;
}

export interface Asking<T> extends CallIdentity {
  readonly verb: Verb;
  /** Asks. What it rejects with breaks the run off: an error that the code is to see is an answer. */
  readonly ask: () => Promise<Answer>;
  /** What the code gets of the recorded answer; what it throws, the code is thrown. */
  readonly accept: (kind: HistoryKind, data: unknown) => T;
}

export class AskingCall<T> implements DurableCall {
  readonly verb: Verb;
  readonly position: number;
  readonly id: string;
  readonly promise: Promise<T>;
  readonly waiting = null;
  isLive = false;
  readonly #host: CallHost;
  readonly #asking: Asking<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  #abandoned = false;

  constructor(host: CallHost, asking: Asking<T>) {
    this.#host = host;
    this.#asking = asking;
    this.verb = asking.verb;
    this.position = asking.position;
    this.id = asking.id;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A loser of a race may reject with nobody listening; that is no fault of the process.
    this.promise.catch(() => undefined);
  }

  apply(entry: HistoryEntry): boolean {
    try {
      this.#resolve(this.#asking.accept(entry.kind, this.#host.services.codec.decode(entry.data!)));
    } catch (error) {
      this.#reject(error);
    }
    return true;
  }

  goLive(): void {
    this.#host.workBegins();
    void this.#ask().finally(() => this.#host.workEnds());
  }

  expire(): void {
    // It has no time limit.
  }

  abandon(): void {
    this.#abandoned = true;
  }

  async #ask(): Promise<void> {
    try {
      const { kind, data, extras } = await this.#asking.ask();
      if (!this.#abandoned) this.#host.propose({ call: this, kind, data, dueAt: null, extras });
    } catch (error) {
      if (!this.#abandoned) this.#host.broken(error as Error);
    }
  }
}
