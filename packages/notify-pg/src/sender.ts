// Sends what was gathered: at once after quiet, otherwise once per window, one transaction at a time.
import type { Clock, Wakeup } from '@romancy/core/ports';
import type { ChannelNames } from './channel-names.js';
import { flushStatement, KeptFlushes } from './flush-statement.js';
import { type Batch, channelNotesOf, emptyBatch, longestPending, NoteQueue } from './note-queue.js';
import type { OpenSession } from './open-session.js';
import { Ping } from './ping.js';
import type { QueueWatch } from './queue-watch.js';
import { SessionLostError } from './session.js';

/** How many notes wait for a new session; more become one for everything. What they told is old by then, and every listener hears them all. */
const longestPile = 100;

/**
 * While much is told, wake-ups are gathered for longer: for one window more with each so many of the last flush, up to so many windows in all,
 * and for no longer than `longestGatheringMs` unless the window itself is. Each flush costs this process, the server and all who listen as much
 * as dozens of notes do.
 */
const wakeupsPerWindow = 8;
const mostWindows = 10;
const longestGatheringMs = 100;

/** For what comes after the code that is running: after quiet, when all is cold, tens of microseconds sooner than by `queueMicrotask`. */
const turnEnds = Promise.resolve();

/** The longest pause between two tries with a server that refuses one after the other. */
const longestPauseMs = 1000;

export interface SenderParts {
  readonly clock: Clock;
  readonly windowMs: number;
  readonly channels: ChannelNames;
  readonly watch: QueueWatch;
}

export class Sender {
  readonly #parts: SenderParts;
  readonly #queue = new NoteQueue();
  readonly #kept = new KeptFlushes();
  #open: OpenSession | null = null;
  #ping: Ping | null = null;
  /** The batch before could not be sent: what it held is in the next one, for the last time. */
  #failedOnce = false;
  /** How many flushes in a row were refused. */
  #refusals = 0;
  #inFlight: Promise<void> | null = null;
  /** How much the flush before told of. */
  #lastSize = 0;
  /** When the first of the notes that wait came, or came back. */
  #gatheredSince = Number.NEGATIVE_INFINITY;
  #isArmed = false;
  #cancel: () => void = () => undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #sent = 0;
  /** Wake-ups that went in the note of another one. */
  #shared = 0;
  #dropped = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#queue.limit(longestPile);
  }

  get counters(): { readonly sent: number; readonly coalesced: number; readonly dropped: number } {
    return { sent: this.#sent, dropped: this.#dropped, coalesced: this.#queue.coalesced + this.#shared };
  }

  /** When the server last took what was sent, by the monotonic clock; a refusal proves nothing. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** The server process that sends for this process and for nobody else; null: not known. */
  get ownProcessId(): number | null {
    return this.#open?.ownProcessId ?? null;
  }

  attach(open: OpenSession): void {
    this.#open = open;
    // Another server perhaps, and at once: sessions do not come more often than their keeper lets them.
    if (this.#refusals > 0) this.#flushedAt = Number.NEGATIVE_INFINITY;
    this.#refusals = 0;
    this.#queue.limit(longestPending);
    this.#arm();
  }

  detach(): void {
    this.#open = null;
    this.#disarm();
    this.#queue.limit(longestPile);
    this.#parts.watch.sessionLost();
  }

  /** Never throws and never waits. */
  send(wakeups: readonly Wakeup[]): void {
    if (this.#stopped) return;
    if (this.#parts.watch.paused) {
      this.#dropped += wakeups.length;
      this.#queue.addGap();
      return;
    }
    if (this.#queue.size > 0) {
      for (const wakeup of wakeups) this.#queue.add(wakeup);
      if (!this.#isArmed) this.#arm();
      return;
    }
    const now = this.#parts.clock.monotonic();
    this.#gatheredSince = now;
    for (const wakeup of wakeups) this.#queue.add(wakeup);
    this.#arm(now);
  }

  /** The queue of the server has room again. */
  resume(): void {
    this.#arm();
  }

  /** Sends a nonce with the next batch, as soon as there is a session. It takes the place of one that still waits. */
  ping(nonce: string): Ping {
    const ping = new Ping(nonce, this.#parts.clock);
    this.#ping = ping;
    this.#arm();
    return ping;
  }

  /** Sends what is gathered, once, within that time; takes nothing more. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopped = true;
    this.#ping = null;
    this.#disarm();
    let isOver = false;
    const flush = async (): Promise<void> => {
      await this.#inFlight;
      // Also the note that tells of what was dropped, which no wake-up asked for.
      if (!isOver && this.#queue.size > 0 && !this.#parts.watch.paused) await this.#flush();
    };
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.schedule(timeoutMs, resolve, { keepAlive: true });
      void flush().then(() => {
        cancel();
        resolve();
      });
    });
    isOver = true;
    this.#dropped += this.#queue.take().wakeups;
  }

  #arm(now = this.#parts.clock.monotonic()): void {
    if (this.#isArmed || this.#stopped || this.#open === null || this.#inFlight !== null || !this.#hasWork) return;
    this.#isArmed = true;
    const waitMs = this.#flushedAt + this.#pauseMs - now;
    const flush = (at: number): void => {
      if (!this.#isArmed) return;
      this.#isArmed = false;
      void this.#flush(at);
    };
    // After quiet: when the code that is running has said all that it has to say, and no later.
    if (waitMs <= 0) void turnEnds.then(() => flush(now));
    else this.#cancel = this.#parts.clock.schedule(waitMs, () => flush(this.#parts.clock.monotonic()));
  }

  /**
   * From one flush to the next. What was refused is tried again after a window; a server that goes on refusing is asked less and less, for also
   * the note that tells of what was dropped is refused, and would be tried for ever.
   */
  get #pauseMs(): number {
    const { windowMs } = this.#parts;
    // Who was quiet for a window is not busy any more, so what comes then goes at once again.
    if (this.#refusals === 0 && this.#gatheredSince < this.#flushedAt + windowMs) {
      const windows = Math.min(mostWindows, Math.max(1, Math.floor(this.#lastSize / wakeupsPerWindow)));
      return Math.max(windowMs, Math.min(longestGatheringMs, windows * windowMs));
    }
    return Math.min(longestPauseMs, windowMs * 2 ** Math.min(10, Math.max(0, this.#refusals - 2)));
  }

  #disarm(): void {
    this.#isArmed = false;
    this.#cancel();
  }

  get #hasWork(): boolean {
    return this.#ping !== null || (this.#queue.size > 0 && !this.#parts.watch.paused);
  }

  #flush(now = this.#parts.clock.monotonic()): Promise<void> {
    const open = this.#open;
    if (open === null || this.#inFlight !== null) return Promise.resolve();
    this.#flushedAt = now;
    this.#inFlight = this.#send(open).finally(() => {
      this.#inFlight = null;
      this.#arm();
    });
    return this.#inFlight;
  }

  /** Never rejects. */
  async #send(open: OpenSession): Promise<void> {
    const { channels, clock, watch } = this.#parts;
    const batch = watch.paused ? emptyBatch : this.#queue.take();
    const ping = this.#ping;
    this.#ping = null;
    const notes = channelNotesOf(batch, channels);
    let [characters, count] = [0, 0];
    for (const each of notes) {
      characters += each.texts.length + each.count * (each.head.length + each.tail.length);
      count += each.count;
    }
    if (ping !== null) {
      const texts = JSON.stringify({ nonce: ping.nonce, ...(watch.paused ? { queue_full: true } : {}) });
      notes.push({ channel: channels.ping, head: '', tail: '', texts, count: 1 });
      ping.given();
    }
    this.#lastSize = batch.size;
    // The server's queue has filled up since this was due.
    if (notes.length === 0) return;
    watch.sending(characters);
    const isOwnSession = open.ownProcessId !== null;
    const question = watch.question(isOwnSession);
    const isLastTry = this.#failedOnce;
    this.#failedOnce = false;
    try {
      let usage: string | null = null;
      if (question === 'nothing' && isOwnSession) {
        const { kept, values } = this.#kept.of(notes);
        await open.session.execute(kept, values);
      } else {
        const parts = { notes, question, electionKey: watch.electionKey, isOwnSession };
        const [row] = await open.session.query(flushStatement(parts));
        usage = row?.[1] ?? null;
      }
      this.#refusals = 0;
      this.#answeredAt = clock.monotonic();
      this.#sent += count;
      this.#shared += batch.size - count;
      ping?.sent();
      if (question !== 'nothing') watch.answered(usage, open);
    } catch (error) {
      this.#failed(batch, isLastTry);
      if (error instanceof SessionLostError) return;
      this.#refusals++;
      ping?.refused();
      // With what is tried again: a refusal that passes by is not to make a listener that hears look deaf. A younger one takes its place.
      this.#ping ??= ping;
      await watch.refused(error, open);
    }
  }

  #failed(batch: Batch, isLastTry: boolean): void {
    if (batch.size === 0) return;
    if (isLastTry) {
      this.#dropped += batch.wakeups;
      // Whoever should have heard of it looks at everything as soon as something can be sent again.
      this.#queue.addGap();
    } else {
      this.#failedOnce = true;
      this.#queue.putBack(batch);
    }
  }
}
