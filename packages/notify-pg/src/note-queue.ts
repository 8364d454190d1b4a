// Gathers what is to be told until somebody sends it: each once, never more than a bound.
import type { Wakeup } from '@romancy/core/ports';
import type { NoteKind } from './channel-names.js';
import { encodeWakeup } from './encode-wakeup.js';
import { everythingNote } from './note.js';
import { namedBy, sharedPayloads, type NamingKind } from './shared-note.js';

/** What is sent in one go. */
export interface Batch {
  /**
   * Of each kind, each once: ids, by the name of their workflow, which are no notes yet since many of them share one; and, under null, payloads of
   * what has a note of its own.
   */
  readonly told: ReadonlyMap<NoteKind, ReadonlyMap<string | null, ReadonlySet<string>>>;
  /** How many things these tell of; the notes are no more than that. */
  readonly size: number;
  /** How many wake-ups asked for them. */
  readonly wakeups: number;
}

/** To tell of more than that says no more than one note for everything does, and costs every listener more. */
export const longestPending = 10_000;

export const emptyBatch: Batch = Object.freeze({ told: new Map(), size: 0, wakeups: 0 });

/** The notes of a batch: payloads by kind. */
export function notesOf({ told }: Batch): Map<NoteKind, string[]> {
  const notes = new Map<NoteKind, string[]>();
  for (const [kind, groups] of told) {
    const payloads: string[] = [];
    for (const [workflowName, texts] of groups) {
      if (workflowName === null) payloads.push(...texts);
      // Only these are gathered by name.
      else payloads.push(...sharedPayloads({ kind: kind as NamingKind, workflowName, ids: [...texts] }));
    }
    notes.set(kind, payloads);
  }
  return notes;
}

export class NoteQueue {
  #told = new Map<NoteKind, Map<string | null, Set<string>>>();
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
    const named = namedBy(wakeup);
    if (named === null) {
      const { kind, payload } = encodeWakeup(wakeup);
      this.#put(kind, null, payload);
    } else this.#put(named.kind, named.workflowName, named.id);
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
    const batch = { told: this.#told, size: this.#size, wakeups: this.#wakeups };
    this.#told = new Map();
    this.#size = 0;
    this.#wakeups = 0;
    return batch;
  }

  /** Back in front of what came since, after it could not be sent. */
  putBack(batch: Batch): void {
    const since = this.take();
    this.#wakeups = batch.wakeups + since.wakeups;
    for (const { told } of [batch, since]) {
      for (const [kind, groups] of told) {
        for (const [workflowName, texts] of groups) for (const text of texts) this.#put(kind, workflowName, text);
      }
    }
  }

  #put(kind: NoteKind, workflowName: string | null, text: string): void {
    if (this.#told.has(everythingNote.kind)) {
      this.#coalesced++;
      return;
    }
    if (kind === everythingNote.kind) {
      this.#collapse();
      return;
    }
    let groups = this.#told.get(kind);
    if (groups === undefined) this.#told.set(kind, (groups = new Map<string | null, Set<string>>()));
    let texts = groups.get(workflowName);
    if (texts === undefined) groups.set(workflowName, (texts = new Set()));
    if (texts.has(text)) this.#coalesced++;
    else {
      texts.add(text);
      this.#size++;
      if (this.#size > this.#limit) this.#collapse();
    }
  }

  /** One note for everything takes the place of all. It comes alone: whoever hears it looks at everything anyway. */
  #collapse(): void {
    if (this.#told.has(everythingNote.kind)) return;
    this.#coalesced += this.#size;
    this.#told = new Map([[everythingNote.kind, new Map([[null, new Set([everythingNote.payload])]])]]);
    this.#size = 1;
  }
}
