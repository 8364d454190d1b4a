// Sends the events that a relayer has: those of one stream one after the other, streams side by side.
import type { AsyncResource } from 'node:async_hooks';
import type { OutgoingEvent } from '../domain/outbox.js';
import type { RetryPolicy } from '../domain/retry-policy.js';
import { encodeError } from '../engine/encode-error.js';
import type { StorageTime } from '../engine/run-services.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Entropy } from '../ports/entropy.js';
import type { ClaimedEvent, EventResult } from '../ports/outbox-store.js';
import type { SendEvent } from '../ports/send-event.js';
import { verdictOn } from './failed-send.js';
import { attemptToSend } from './send-attempt.js';

/** How events are sent. */
export interface SendOptions {
  readonly send: SendEvent;
  /** How many streams at a time. */
  readonly concurrency: number;
  /** Milliseconds for each attempt; null: no limit. */
  readonly timeoutMs: number | null;
  readonly retry: RetryPolicy;
}

/** What is to be recorded about one event, and what others are told when it is. */
export interface SendReport {
  readonly event: ClaimedEvent;
  readonly result: EventResult;
  /** What the attempt failed with. */
  readonly error: unknown;
  readonly durationMs: number;
}

export interface StreamSenderParts {
  readonly options: SendOptions;
  readonly clock: Clock;
  readonly storageTime: StorageTime;
  readonly entropy: Entropy;
  readonly codec: Codec;
  readonly maxPayloadBytes: number;
  /** The async context of all sending, whoever caused it. */
  readonly context: AsyncResource;
  /** At least one report; all of one stream, in its order. */
  readonly onReports: (reports: readonly SendReport[]) => void;
}

/** Knows nothing of claims: an event that was reported on is gone from here. */
export class StreamSender {
  readonly #parts: StreamSenderParts;
  readonly #abort = new AbortController();
  /** Untried events of streams that are being sent, and of those that wait for a place. */
  readonly #active = new Set<ClaimedEvent[]>();
  #waiting: ClaimedEvent[][] = [];
  #whenIdle: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: StreamSenderParts) {
    this.#parts = parts;
  }

  /** Places for further streams. */
  get free(): number {
    return this.#parts.options.concurrency - this.#active.size - this.#waiting.length;
  }

  /** Takes events in the order in which they were written; none of a stream that it has. */
  take(events: readonly ClaimedEvent[]): void {
    if (this.#isClosed) {
      if (events.length > 0) this.#parts.onReports(events.map(released));
      return;
    }
    const streams = new Map<string, ClaimedEvent[]>();
    for (const event of events) {
      const stream = streams.get(event.stream);
      if (stream === undefined) streams.set(event.stream, [event]);
      else stream.push(event);
    }
    this.#waiting.push(...streams.values());
    this.#fill();
  }

  /** Gives up what it has not begun to send, and begins nothing more. What is being sent goes on. */
  handBack(): void {
    this.#isClosed = true;
    const untried = [...this.#active, ...this.#waiting];
    this.#waiting = [];
    for (const events of untried) {
      const rest = events.splice(0);
      if (rest.length > 0) this.#parts.onReports(rest.map(released));
    }
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    if (this.#active.size > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  /** Gives up everything, without a report. */
  drop(reason: Error): void {
    this.#waiting = [];
    for (const events of this.#active) events.length = 0;
    this.#abort.abort(reason);
  }

  #fill(): void {
    while (this.#waiting.length > 0 && this.#active.size < this.#parts.options.concurrency) {
      const events = this.#waiting.shift()!;
      this.#active.add(events);
      void this.#parts.context.runInAsyncScope(() => this.#sendStream(events));
    }
  }

  /** Never rejects. */
  async #sendStream(events: ClaimedEvent[]): Promise<void> {
    for (let event = events.shift(); event !== undefined; event = events.shift()) {
      const report = await this.#sendOne(event);
      if (this.#abort.signal.aborted) break;
      // What follows must not overtake it: others may have it, when its time has come.
      const rest = report.result.type === 'retry' ? events.splice(0) : [];
      // The place is free before the report is made, so that it can lead to the next claim.
      if (events.length === 0) this.#leave(events);
      this.#parts.onReports([report, ...rest.map(released)]);
    }
    this.#leave(events);
  }

  #leave(events: ClaimedEvent[]): void {
    if (!this.#active.delete(events)) return;
    this.#fill();
    if (this.#active.size > 0) return;
    this.#whenIdle?.();
    this.#whenIdle = null;
  }

  async #sendOne(event: ClaimedEvent): Promise<SendReport> {
    const { options, clock, codec } = this.#parts;
    const began = clock.monotonic();
    const durationMs = (): number => clock.monotonic() - began;
    let outgoing: OutgoingEvent;
    try {
      outgoing = codec.decode(event.data) as OutgoingEvent;
    } catch (error) {
      // It will not be readable the next time either.
      const result: EventResult = { type: 'invalid', eventId: event.eventId, error: this.#written(event, error) };
      return { event, result, error, durationMs: durationMs() };
    }
    try {
      await attemptToSend(outgoing, { ...options, clock, attempt: event.attempts + 1, signal: this.#abort.signal });
      return { event, result: { type: 'sent', eventId: event.eventId }, error: undefined, durationMs: durationMs() };
    } catch (error) {
      return { event, result: this.#failed(event, error), error, durationMs: durationMs() };
    }
  }

  #failed(event: ClaimedEvent, error: unknown): EventResult {
    const { options, storageTime, entropy } = this.#parts;
    const { eventId, attempts, failedSince } = event;
    const failingForMs = failedSince === null ? 0 : Math.max(0, storageTime.now() - failedSince);
    const verdict = verdictOn({
      error,
      policy: options.retry,
      failed: attempts + 1,
      failingForMs,
      random: entropy.random(),
    });
    const written = this.#written(event, error);
    if (verdict.type !== 'retry') return { type: verdict.type, eventId, error: written };
    return { type: 'retry', eventId, dueAt: storageTime.ahead() + verdict.delayMs, error: written };
  }

  #written({ type }: ClaimedEvent, error: unknown): string {
    return encodeError(error, `the error of event ${type}`, this.#parts);
  }
}

function released(event: ClaimedEvent): SendReport {
  return { event, result: { type: 'release', eventId: event.eventId }, error: undefined, durationMs: 0 };
}
