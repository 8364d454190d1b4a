// `waitEvent`: a subscription made at the call, then the oldest mail of the type, or the timeout.
import type { ReceivedEvent } from '../../domain/cloud-event.js';
import { WaitTimeoutError } from '../../domain/errors.js';
import type { HistoryEntry } from '../../domain/history.js';
import type { Mail } from '../../ports/run-store.js';
import type { CallIdentity } from '../call-ids.js';
import type { CallHost, DurableCall, Waiting } from './durable-call.js';

/** Mail is taken by the oldest open wait of its type; the taking and the record of it are one commit. */
export class EventWaitCall<TData> implements DurableCall {
  readonly verb = 'wait for event';
  readonly position: number;
  readonly id: string;
  readonly promise: Promise<ReceivedEvent<TData>>;
  isLive = false;
  readonly #host: CallHost;
  readonly #type: string;
  readonly #timeoutMs: number | null;
  readonly #accept: (event: ReceivedEvent) => ReceivedEvent<TData> | Promise<ReceivedEvent<TData>>;
  #resolve!: (event: ReceivedEvent<TData> | Promise<ReceivedEvent<TData>>) => void;
  #reject!: (error: Error) => void;
  #waiting: Waiting | null = null;

  /** @param options `accept` checks what was received before the code sees it. */
  constructor(
    host: CallHost,
    options: CallIdentity & {
      readonly type: string;
      readonly timeoutMs: number | null;
      readonly accept: (event: ReceivedEvent) => ReceivedEvent<TData> | Promise<ReceivedEvent<TData>>;
    },
  ) {
    this.#host = host;
    this.position = options.position;
    this.id = options.id;
    this.#type = options.type;
    this.#timeoutMs = options.timeoutMs;
    this.#accept = options.accept;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A loser of a race may reject with nobody listening; that is no fault of the process.
    this.promise.catch(() => undefined);
  }

  get waiting(): Waiting | null {
    return this.#waiting;
  }

  apply(entry: HistoryEntry): boolean {
    if (entry.kind === 'wait_set') {
      this.#host.subscribed(this.#type);
      this.#waiting = { status: 'waiting_for_event', dueAt: entry.dueAt };
      return false;
    }
    this.#waiting = null;
    if (entry.kind === 'event_received') {
      const event = this.#host.services.codec.decode(entry.data!) as ReceivedEvent;
      try {
        this.#resolve(this.#accept(event));
      } catch (error) {
        this.#reject(error as Error);
      }
    } else {
      this.#reject(new WaitTimeoutError({ waitedFor: this.#type, timeoutMs: this.#timeoutMs ?? 0 }));
    }
    return true;
  }

  goLive(): void {
    if (this.#waiting === null) {
      // The subscription comes into the same commit as the entry: whoever sends after that commit reaches this instance.
      this.#host.subscribe(this.#type);
      const dueAt = this.#timeoutMs === null ? null : this.#host.services.storageTime.ahead() + this.#timeoutMs;
      this.#host.recordAtCall(this, { kind: 'wait_set', data: this.#host.services.codec.encode(this.#type), dueAt });
    }
    this.onMail();
  }

  onMail(): void {
    if (this.#waiting === null) return;
    const mail = this.#host.mailbox.take(this.#type);
    if (mail !== undefined) this.#receive(mail);
    else if (this.#host.mailbox.mayHaveMore) void this.#search();
  }

  expire(): void {
    this.#waiting = null;
    this.#host.propose({ call: this, kind: 'wait_timed_out', data: null, dueAt: null });
  }

  abandon(): void {
    this.#waiting = null;
  }

  #receive(mail: Mail): void {
    this.#waiting = null;
    this.#host.propose({ call: this, kind: 'event_received', data: mail.data, dueAt: null, mailId: mail.mailId });
  }

  /** Looks beyond what fits into memory; the run must not be put away meanwhile. */
  async #search(): Promise<void> {
    this.#host.workBegins();
    try {
      await this.#host.mailbox.search(this.#type);
      if (this.#waiting === null) return;
      const mail = this.#host.mailbox.take(this.#type);
      if (mail !== undefined) this.#receive(mail);
    } catch (error) {
      // The storage refused, or nobody waits for it any more.
      this.#host.broken(error as Error);
    } finally {
      this.#host.workEnds();
    }
  }
}
