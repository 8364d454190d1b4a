// The relayer under one identity: claims events, has them sent, records what became of them; a lost lease ends it.
import { LeaseLostError } from '../domain/errors.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { OutboxStore } from '../ports/outbox-store.js';
import type { EventEnds } from './event-ends.js';
import { releaseUnknown } from './release-unknown.js';
import type { SinkWatch } from './sink-watch.js';
import type { StorageClock } from './storage-time.js';
import type { StorageHealth } from './storage-health.js';
import { StreamSender, type SendReport, type StreamSenderParts } from './stream-sender.js';
import { withDeadline } from './with-deadline.js';

/** How many results go into one call. */
const mostPerSettle = 1000;
/** How long to wait after the storage has refused to record something, which it should not. */
const refusedPauseMs = 1000;
/**
 * A claim whose answer was lost may still take effect, as one that a database has in hand while its client has gone. So what nobody knows of is looked
 * for again so much later.
 */
const secondLookMs = 10_000;

/** What a claim came to. */
export interface EventClaim {
  readonly count: number;
  readonly nextDueAt: number | null;
  readonly now: number;
}

export interface RelaySessionParts {
  readonly workerId: string;
  readonly outbox: OutboxStore;
  readonly batchSize: number;
  readonly sender: Omit<StreamSenderParts, 'onReports'>;
  readonly health: StorageHealth;
  readonly storageClock: StorageClock;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sinks: SinkWatch;
  readonly ends: EventEnds;
  readonly onClaimed: (claim: EventClaim) => void;
  /** An event is to be sent again at that time by the storage's clock. */
  readonly onRetry: (dueAt: number) => void;
  /** A claim or a look failed in a way that does not pass. */
  readonly onFault: () => void;
  readonly onLeaseLost: (error: LeaseLostError) => void;
}

/** A stream of which this session has events. */
interface HeldStream {
  /** How many are not recorded yet. */
  open: number;
  /** How many announcements had been heard when it was claimed. */
  readonly heard: number;
  /** The claim was full: there may be more of it. */
  readonly isCut: boolean;
}

/**
 * One call of the storage at a time, results before claims. So a result that is sent again after a lost answer never meets an event that was claimed
 * anew meanwhile, a claim sees the streams free whose last result was reported before it, and while one call is in flight the results of the next
 * gather. It claims only while a place for another stream is free: what would have to wait here is better sent elsewhere.
 */
export class RelaySession {
  readonly workerId: string;
  /** For the status. */
  claims = 0;
  readonly #parts: RelaySessionParts;
  readonly #sender: StreamSender;
  readonly #abort = new AbortController();
  readonly #streams = new Map<string, HeldStream>();
  /** Ids of events that are not recorded yet. */
  readonly #held = new Set<string>();
  #reports: SendReport[] = [];
  #working: Promise<void> | null = null;
  #wanted = false;
  #heard = 0;
  /** Events may be this worker's that it knows nothing of. */
  #mustLook = false;
  #cancelLook: (() => void) | null = null;
  /** After a refusal results are recorded one by one until one is taken: one that is refused must not keep the others back. */
  #oneByOne = false;
  #isDraining = false;
  /** The first event that was handed back while draining. */
  #handedBack: string | undefined;
  readonly #claimWaiters: (() => void)[] = [];

  constructor(parts: RelaySessionParts) {
    this.#parts = parts;
    this.workerId = parts.workerId;
    this.#sender = new StreamSender({ ...parts.sender, onReports: (reports) => this.#reported(reports) });
  }

  /** Events that are not recorded yet. */
  get holding(): number {
    return this.#held.size;
  }

  /** There may be events to claim. Without a free place that is remembered. */
  want(): void {
    this.#wanted = true;
    this.#kick();
  }

  /** Events were announced: they may belong to streams that are held here, and be claimable only after these. */
  heard(): void {
    this.#heard++;
  }

  /** Resolves after a claim that was sent after this call, or when none can be made now. */
  async claimed(): Promise<void> {
    const done = new Promise<void>((resolve) => this.#claimWaiters.push(resolve));
    this.want();
    if (this.#working === null) this.#release(this.#claimWaiters.splice(0));
    await done;
  }

  /**
   * Claims no more, hands back what is untried, waits for what is being sent, until `deadline`.
   * @returns the id of one event that others can go on with, if there is any.
   */
  async drain(deadline: AbortSignal): Promise<string | undefined> {
    this.#isDraining = true;
    this.#wanted = false;
    this.#sender.handBack();
    await withDeadline(this.#sender.idle(), deadline);
    while (this.#working !== null && !deadline.aborted) await withDeadline(this.#working, deadline);
    const [held] = this.#held;
    return this.#handedBack ?? held;
  }

  /** Forgets everything: its events are handed on with its lease. */
  drop(reason: Error): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(reason);
    this.#sender.drop(reason);
    this.#cancelLook?.();
    this.#reports = [];
    this.#held.clear();
    this.#streams.clear();
    this.#release(this.#claimWaiters.splice(0));
  }

  #reported(reports: readonly SendReport[]): void {
    if (this.#abort.signal.aborted) return;
    for (const report of reports) {
      const { type } = report.result;
      if (type === 'retry' || type === 'failed') this.#parts.sinks.failed(report.error);
      else if (type !== 'release') this.#parts.sinks.answered();
      // Also what a claim brought that was under way: nobody else would tell of it.
      else if (this.#isDraining) this.#handedBack ??= report.event.eventId;
      this.#reports.push(report);
    }
    this.#kick();
  }

  #kick(): void {
    if (this.#working === null && this.#hasWork()) {
      this.#working = this.#parts.sender.context.runInAsyncScope(() => this.#work());
    }
  }

  #hasWork(): boolean {
    return !this.#abort.signal.aborted && (this.#reports.length > 0 || this.#mustLook || this.#mayClaim());
  }

  #mayClaim(): boolean {
    return this.#wanted && !this.#isDraining && this.#sender.free > 0;
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    // Never to its end within the call that began it: it would be over before `#working` is set, for ever.
    await Promise.resolve();
    try {
      while (this.#hasWork()) {
        if (this.#reports.length > 0) await this.#settle();
        if (this.#mustLook) await this.#releaseUnknown();
        if (this.#mayClaim()) await this.#claim();
      }
    } catch (error) {
      if (error instanceof LeaseLostError) this.#parts.onLeaseLost(error);
      else if (!this.#abort.signal.aborted) {
        this.#parts.logger.error('the outbox could not be asked', { error: String(error) });
        this.#parts.onFault();
      }
    } finally {
      this.#working = null;
      this.#release(this.#claimWaiters.splice(0));
      // After a fault the next reason tries again; results must not wait for one.
      if (this.#reports.length > 0) this.#kick();
    }
  }

  async #claim(): Promise<void> {
    const { outbox, workerId, batchSize, health, storageClock, clock, onClaimed } = this.#parts;
    this.#wanted = false;
    const waiters = this.#claimWaiters.splice(0);
    const heard = this.#heard;
    let tries = 0;
    try {
      const { events, nextDueAt, now } = await health.keepTrying(async () => {
        // The try before may have claimed and its answer got lost: nobody would send what it took for as long as this process lives.
        if (tries++ > 0) await this.#releaseUnknown();
        const sentAt = clock.monotonic();
        const answer = await outbox.claim({ workerId, limit: batchSize });
        storageClock.observe(answer.now, sentAt);
        return answer;
      }, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.claims++;
      const isCut = events.length >= batchSize;
      for (const { stream, eventId } of events) {
        const held = this.#streams.get(stream);
        if (held === undefined) this.#streams.set(stream, { open: 1, heard, isCut });
        else held.open++;
        this.#held.add(eventId);
      }
      this.#sender.take(events);
      onClaimed({ count: events.length, nextDueAt, now });
    } finally {
      if (tries > 1) this.#lookLater();
      this.#release(waiters);
    }
  }

  #lookLater(): void {
    if (this.#abort.signal.aborted) return;
    this.#cancelLook?.();
    this.#cancelLook = this.#parts.clock.schedule(secondLookMs, () => {
      this.#mustLook = true;
      this.#kick();
    });
  }

  /** Nothing else of this session is in flight: what it holds is exactly what it knows of. */
  async #releaseUnknown(): Promise<void> {
    const { outbox, workerId, health } = this.#parts;
    const holds = (eventId: string): boolean => this.#held.has(eventId);
    if (await releaseUnknown({ outbox, workerId, health, holds, signal: this.#abort.signal })) this.#wanted = true;
    this.#mustLook = false;
  }

  async #settle(): Promise<void> {
    const { outbox, workerId, health, storageClock, clock, logger } = this.#parts;
    const group = this.#reports.splice(0, this.#oneByOne ? 1 : mostPerSettle);
    const results = group.map(({ result }) => result);
    try {
      await health.keepTrying(async () => {
        const sentAt = clock.monotonic();
        const { now } = await outbox.settle({ workerId, results });
        storageClock.observe(now, sentAt);
      }, this.#abort.signal);
    } catch (error) {
      if (error instanceof LeaseLostError || this.#abort.signal.aborted) throw error;
      logger.error('what became of events could not be recorded, trying again', { events: group.length, error: String(error) });
      this.#oneByOne = true;
      this.#reports.push(...group);
      await health.pause(refusedPauseMs, this.#abort.signal);
      return;
    }
    this.#oneByOne = false;
    if (this.#abort.signal.aborted) return;
    for (const report of group) this.#settled(report);
  }

  /** It is recorded. */
  #settled(report: SendReport): void {
    const { event, result } = report;
    const { eventId, stream } = event;
    this.#held.delete(eventId);
    if (result.type === 'retry') {
      // The rest of the stream waits for that time, and is claimed with it, by whoever comes.
      this.#streams.set(stream, { open: this.#streams.get(stream)?.open ?? 1, heard: this.#heard, isCut: false });
      this.#parts.onRetry(result.dueAt);
    }
    const held = this.#streams.get(stream);
    if (held !== undefined && --held.open === 0) {
      this.#streams.delete(stream);
      // What was announced while it was held may be of this stream, and a claim could not have it.
      if (held.isCut || held.heard < this.#heard) this.#wanted = true;
    }
    this.#parts.ends.tell(report);
  }

  #release(waiters: readonly (() => void)[]): void {
    for (const resolve of waiters) resolve();
  }
}
