// Gathers notes until somebody sends them: each once, never more than a bound.
import { everythingNote, type Note } from './note.js';

/** What is sent in one go. */
export interface Batch {
  readonly notes: readonly Note[];
  /** How many wake-ups asked for them. */
  readonly wakeups: number;
}

/** More notes than that say no more than one for everything does, and cost every listener more. */
export const longestPending = 10_000;

export class NoteQueue {
  readonly #pending = new Map<string, Note>();
  #limit = longestPending;
  #wakeups = 0;
  #coalesced = 0;

  /** Wake-ups that needed no note of their own, so far. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** Notes that wait. */
  get size(): number {
    return this.#pending.size;
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
    if (this.#pending.size > notes) this.#collapse();
  }

  /** Takes all that waits; empty when nothing does. */
  take(): Batch {
    const batch = { notes: [...this.#pending.values()], wakeups: this.#wakeups };
    this.#pending.clear();
    this.#wakeups = 0;
    return batch;
  }

  /** Back in front of what came since, after it could not be sent. */
  putBack(batch: Batch): void {
    const since = this.take();
    this.#wakeups = batch.wakeups + since.wakeups;
    for (const note of [...batch.notes, ...since.notes]) this.#put(note);
  }

  #put(note: Note): void {
    if (this.#pending.has(everythingNote.kind)) {
      this.#coalesced++;
      return;
    }
    if (note.kind === everythingNote.kind) {
      this.#collapse();
      return;
    }
    // No channel has a line break in its kind, so no two notes share a key.
    const key = `${note.kind}\n${note.payload}`;
    if (this.#pending.has(key)) this.#coalesced++;
    else this.#pending.set(key, note);
    if (this.#pending.size > this.#limit) this.#collapse();
  }

  /** One note for everything takes the place of all. It comes alone: whoever hears it looks at everything anyway. */
  #collapse(): void {
    if (this.#pending.has(everythingNote.kind)) return;
    this.#coalesced += this.#pending.size;
    this.#pending.clear();
    this.#pending.set(everythingNote.kind, everythingNote);
  }
}
