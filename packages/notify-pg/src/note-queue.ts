// Gathers what is to be told until somebody sends it: each once, never more than a bound.
import type { Wakeup } from '@romancy/core/ports';
import type { ChannelNames, NoteKind } from './channel-names.js';
import { encodeWakeup, isPlain } from './encode-wakeup.js';
import type { ChannelNotes } from './flush-statement.js';
import { linesOf, payloadsOf, resumablePayload, type Bundle } from './note-bundle.js';
import { everythingNote, longestPayloadBytes, type Note } from './note.js';
import { isSharing, sharedIdOf } from './shared-note.js';

/** What is sent in one go. */
export interface Batch {
  /** One wake-up alone, which is what waits most often: by itself it is told sooner than from maps and sets made for it. Null: see `told`. */
  readonly only: Wakeup | null;
  readonly told: readonly Bundle[];
  /** How many things these tell of; the notes are no more than that. */
  readonly size: number;
  /** How many wake-ups asked for them. */
  readonly wakeups: number;
}

/** To tell of more than that says no more than one note for everything does, and costs every listener more. */
export const longestPending = 10_000;

export const emptyBatch: Batch = Object.freeze({ only: null, told: [], size: 0, wakeups: 0 });

/** Of so many workflows at a time ids are gathered, and whole payloads of others: there is a statement for each number of lists. */
const mostWorkflows = 4;

/** Characters of an id and of a workflow's name, both plain, that fit into a note together with its keys. */
const longestPlain = longestPayloadBytes - 100;

/** The notes of a batch: payloads by kind. */
export function notesOf({ only, told }: Batch): readonly (readonly [NoteKind, readonly string[]])[] {
  if (only === null) return told.map((bundle) => [bundle.kind, payloadsOf(bundle)]);
  const { kind, payload } = noteOf(only);
  return [[kind, [payload]]];
}

/** The same as a statement takes them. */
export function channelNotesOf({ only, told }: Batch, channels: ChannelNames): ChannelNotes[] {
  if (only !== null) {
    const { kind, payload } = noteOf(only);
    return [{ channel: channels[kind], head: '', tail: '', texts: payload, count: 1 }];
  }
  return told.map((bundle) => ({ channel: channels[bundle.kind], ...linesOf(bundle) }));
}

/** Of a wake-up that shares with no other one. */
function noteOf(wakeup: Wakeup): Note {
  return isSharing(wakeup.kind) && sharedIdOf(wakeup) === null ? everythingNote : encodeWakeup(wakeup);
}

/** Whether its note is nothing but an id and a name, written as they are. Equal notes are alike in this, so that they meet. */
function isPlainlyResumable(wakeup: Wakeup): wakeup is Extract<Wakeup, { readonly kind: 'workflow_resumable' }> {
  if (wakeup.kind !== 'workflow_resumable' || wakeup.more !== undefined) return false;
  const { instanceId, workflowName } = wakeup;
  // A list of one empty text is to the server an empty list.
  if (instanceId === '') return false;
  return instanceId.length + workflowName.length <= longestPlain && isPlain(instanceId) && isPlain(workflowName);
}

export class NoteQueue {
  /** What waits, when it is one. */
  #only: Wakeup | null = null;
  /** More than one, or the one for everything. By kind; of what can be resumed, which is what a busy process tells of most, by workflow. */
  readonly #kinds = new Map<NoteKind, Bundle>();
  readonly #workflows = new Map<string, Bundle>();
  #isCollapsed = false;
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
    if (this.#size === 0) {
      // Encoded when it goes.
      this.#only = wakeup;
      this.#size = 1;
    } else {
      this.#spread();
      this.#put(wakeup);
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
    const batch: Batch = { only, told: only === null ? this.#bundles() : [], size: this.#size, wakeups: this.#wakeups };
    this.#clear();
    this.#wakeups = 0;
    return batch;
  }

  /** Back in front of what came since, after it could not be sent. */
  putBack(batch: Batch): void {
    const since = this.take();
    this.#wakeups = batch.wakeups + since.wakeups;
    for (const { only, told } of [batch, since]) {
      if (only !== null) this.#put(only);
      for (const { kind, workflowName, texts } of told) {
        if (kind === everythingNote.kind) this.#everything();
        else if (workflowName === null) for (const text of texts) this.#putText(this.#kind(kind), text);
        else for (const id of texts) this.#putResumable(workflowName, id);
      }
    }
  }

  /** Makes one of many of what waited alone. */
  #spread(): void {
    const only = this.#only;
    if (only === null) return;
    this.#only = null;
    this.#size = 0;
    this.#put(only);
  }

  #put(wakeup: Wakeup): void {
    if (this.#isCollapsed) this.#coalesced++;
    else if (isPlainlyResumable(wakeup)) this.#putResumable(wakeup.workflowName, wakeup.instanceId);
    else {
      const id = sharedIdOf(wakeup);
      if (id !== null) this.#putText(this.#kind(wakeup.kind), id);
      else {
        const { kind, payload } = noteOf(wakeup);
        if (kind === everythingNote.kind) this.#everything();
        else this.#putText(this.#kind(kind), payload);
      }
    }
  }

  #putText({ texts }: Bundle, text: string): void {
    const before = texts.size;
    if (this.#isCollapsed || texts.add(text).size === before) this.#coalesced++;
    else if (++this.#size > this.#limit) this.#collapse();
  }

  /** Both plain. The workflows of which ids are gathered stay the same until all is taken, so that equal ones meet. */
  #putResumable(workflowName: string, id: string): void {
    let bundle = this.#workflows.get(workflowName);
    if (bundle === undefined && this.#workflows.size < mostWorkflows) {
      bundle = { kind: 'workflow_resumable', workflowName, texts: new Set() };
      this.#workflows.set(workflowName, bundle);
    }
    if (bundle !== undefined) this.#putText(bundle, id);
    else this.#putText(this.#kind('workflow_resumable'), resumablePayload(workflowName, id));
  }

  /** For whole payloads, or ids that share a note. */
  #kind(kind: NoteKind): Bundle {
    let bundle = this.#kinds.get(kind);
    if (bundle === undefined) this.#kinds.set(kind, (bundle = { kind, workflowName: null, texts: new Set() }));
    return bundle;
  }

  #bundles(): Bundle[] {
    return [...this.#workflows.values(), ...this.#kinds.values()];
  }

  #clear(): void {
    this.#only = null;
    this.#isCollapsed = false;
    this.#kinds.clear();
    this.#workflows.clear();
    this.#size = 0;
  }

  #everything(): void {
    if (this.#isCollapsed) this.#coalesced++;
    else this.#collapse();
  }

  /** One note for everything takes the place of all. It comes alone: whoever hears it looks at everything anyway. */
  #collapse(): void {
    if (this.#isCollapsed) return;
    this.#coalesced += this.#size;
    this.#clear();
    this.#kind(everythingNote.kind).texts.add(everythingNote.payload);
    this.#isCollapsed = true;
    this.#size = 1;
  }
}
