// Gathers notes until somebody sends them: each once, never more than a bound.
import type { NoteKind } from './channel-names.js';
import { everythingNote, type Note } from './note.js';

/** What is sent in one go. */
export interface Batch {
  /** The payloads of each kind that has any, each once. */
  readonly notes: ReadonlyMap<NoteKind, ReadonlySet<string>>;
  /** How many notes these are. */
  readonly size: number;
  /** How many wake-ups asked for them. */
  readonly wakeups: number;
}

/** More notes than that say no more than one for everything does, and cost every listener more. */
export const longestPending = 10_000;

export const emptyBatch: Batch = Object.freeze({ notes: new Map(), size: 0, wakeups: 0 });

export class NoteQueue {
  #pending = new Map<NoteKind, Set<string>>();
  #size = 0;
  #limit = longestPending;
  #wakeups = 0;
  #coalesced = 0;

  /** Wake-ups that needed no note of their own, so far. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** Notes that wait. */
  get size(): number {
    return this.#size;
  }

  /** Wake-ups that wait. */
  get wakeups(): number {
    return this.#wakeups;
  }

  add(note: Note): void {
    this.#wakeups++;
    this.#put(note);
  }

  /** Others have missed something: the next batch tells them to look at everything. Counts as no wake-up. */
  addGap(): void {
    this.#collapse();
  }

  /** How many notes may wait before one for everything takes their place; down to fewer at once. */
  limit(notes: number): void {
    this.#limit = notes;
    if (this.#size > notes) this.#collapse();
  }

  /** Takes all that waits; empty when nothing does. */
  take(): Batch {
    const batch = { notes: this.#pending, size: this.#size, wakeups: this.#wakeups };
    this.#pending = new Map();
    this.#size = 0;
    this.#wakeups = 0;
    return batch;
  }

  /** Back in front of what came since, after it could not be sent. */
  putBack(batch: Batch): void {
    const since = this.take();
    this.#wakeups = batch.wakeups + since.wakeups;
    for (const { notes } of [batch, since]) {
      for (const [kind, payloads] of notes) for (const payload of payloads) this.#put({ kind, payload });
    }
  }

  #put({ kind, payload }: Note): void {
    if (this.#pending.has(everythingNote.kind)) {
      this.#coalesced++;
      return;
    }
    if (kind === everythingNote.kind) {
      this.#collapse();
      return;
    }
    let payloads = this.#pending.get(kind);
    if (payloads === undefined) this.#pending.set(kind, (payloads = new Set()));
    if (payloads.has(payload)) this.#coalesced++;
    else {
      payloads.add(payload);
      this.#size++;
      if (this.#size > this.#limit) this.#collapse();
    }
  }

  /** One note for everything takes the place of all. It comes alone: whoever hears it looks at everything anyway. */
  #collapse(): void {
    if (this.#pending.has(everythingNote.kind)) return;
    this.#coalesced += this.#size;
    this.#pending = new Map([[everythingNote.kind, new Set([everythingNote.payload])]]);
    this.#size = 1;
  }
}
