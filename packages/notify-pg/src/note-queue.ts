// Gathers what is to be told until somebody sends it: each once, never more than a bound.
import type { Wakeup } from '@romancy/core/ports';
import type { NoteKind } from './channel-names.js';
import { encodeWakeup } from './encode-wakeup.js';
import { everythingNote } from './note.js';
import { isSharing, sharedIdOf, sharedPayloads } from './shared-note.js';

/** What is sent in one go. */
export interface Batch {
  /** Of each kind, each once: payloads; of a kind that shares notes, ids, which are no notes yet. */
  readonly told: Iterable<readonly [NoteKind, Iterable<string>]>;
  /** How many things these tell of; the notes are no more than that. */
  readonly size: number;
  /** How many wake-ups asked for them. */
  readonly wakeups: number;
}

/** To tell of more than that says no more than one note for everything does, and costs every listener more. */
export const longestPending = 10_000;

export const emptyBatch: Batch = Object.freeze({ told: [], size: 0, wakeups: 0 });

/** The notes of a batch: payloads by kind. */
export function notesOf({ told }: Batch): readonly (readonly [NoteKind, readonly string[]])[] {
  const notes: [NoteKind, readonly string[]][] = [];
  for (const [kind, texts] of told) notes.push([kind, isSharing(kind) ? sharedPayloads([...texts]) : [...texts]]);
  return notes;
}

export class NoteQueue {
  /** One alone, which is what waits most often: by itself it is told sooner than from maps and sets made for it. */
  #only: readonly [NoteKind, string] | null = null;
  /** More than one. */
  #told = new Map<NoteKind, Set<string>>();
  #size = 0;
  #limit = longestPending;
  #wakeups = 0;
  #coalesced = 0;

  /** Wake-ups that said nothing that was not to be told already, so far. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** How much there is to tell. */
  get size(): number {
    return this.#size;
  }

  /** Wake-ups that wait. */
  get wakeups(): number {
    return this.#wakeups;
  }

  add(wakeup: Wakeup): void {
    this.#wakeups++;
    const id = sharedIdOf(wakeup);
    if (id !== null) this.#put(wakeup.kind, id);
    else if (isSharing(wakeup.kind)) this.#put(everythingNote.kind, everythingNote.payload);
    else {
      const { kind, payload } = encodeWakeup(wakeup);
      this.#put(kind, payload);
    }
  }

  /** Others have missed something: the next batch tells them to look at everything. Counts as no wake-up. */
  addGap(): void {
    this.#collapse();
  }

  /** How much may wait before one note for everything takes its place; down to less at once. */
  limit(size: number): void {
    this.#limit = size;
    if (this.#size > size) this.#collapse();
  }

  /** Takes all that waits; empty when nothing does. */
  take(): Batch {
    if (this.#size === 0) return emptyBatch;
    const only = this.#only;
    const told = only === null ? this.#told : ([[only[0], [only[1]]]] as const);
    const batch = { told, size: this.#size, wakeups: this.#wakeups };
    if (only === null) this.#told = new Map();
    this.#only = null;
    this.#size = 0;
    this.#wakeups = 0;
    return batch;
  }

  /** Back in front of what came since, after it could not be sent. */
  putBack(batch: Batch): void {
    const since = this.take();
    this.#wakeups = batch.wakeups + since.wakeups;
    for (const { told } of [batch, since]) {
      for (const [kind, texts] of told) for (const text of texts) this.#put(kind, text);
    }
  }

  #put(kind: NoteKind, text: string): void {
    const only = this.#only;
    if (this.#isCollapsed || (only !== null && only[0] === kind && only[1] === text)) this.#coalesced++;
    else if (kind === everythingNote.kind) this.#collapse();
    else if (this.#size === 0) {
      this.#only = [kind, text];
      this.#grown();
    } else {
      if (only !== null) this.#told.set(only[0], new Set([only[1]]));
      this.#only = null;
      let texts = this.#told.get(kind);
      if (texts === undefined) this.#told.set(kind, (texts = new Set()));
      if (texts.has(text)) this.#coalesced++;
      else {
        texts.add(text);
        this.#grown();
      }
    }
  }

  #grown(): void {
    this.#size++;
    if (this.#size > this.#limit) this.#collapse();
  }

  get #isCollapsed(): boolean {
    return this.#only?.[0] === everythingNote.kind;
  }

  /** One note for everything takes the place of all. It comes alone: whoever hears it looks at everything anyway. */
  #collapse(): void {
    if (this.#isCollapsed) return;
    this.#coalesced += this.#size;
    this.#told = new Map();
    this.#only = [everythingNote.kind, everythingNote.payload];
    this.#size = 1;
  }
}
