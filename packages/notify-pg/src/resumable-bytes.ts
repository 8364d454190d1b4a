// The note that a busy process hears most, read from its bytes: an id between what was the same in the note before.
import type { Wakeup } from '@romancy/core/ports';
import { longestHeard } from './decode-note.js';
import { encodeWakeup } from './encode-wakeup.js';

type Resumable = Extract<Wakeup, { readonly kind: 'workflow_resumable' }>;

const beginning = Buffer.from('{"instance_id":"');
const [quote, backslash] = ['"', '\\'].map((character) => character.charCodeAt(0)) as [number, number];

/** Knows what JSON made of one note, and with it what it makes of each that differs in the id alone. */
export class ResumableBytes {
  /** What stood behind the id, beginning with the quote that ends it. */
  #end: Uint8Array | null = null;
  #workflowName = '';

  /** What the payload between these two says; null: it is not just like the one that was learnt from. */
  read(chunk: Buffer, from: number, to: number): Resumable | null {
    const end = this.#end;
    if (end === null) return null;
    const idFrom = from + beginning.length;
    const idTo = to - end.length;
    if (idTo <= idFrom || to - from > longestHeard) return null;
    for (let index = 0; index < beginning.length; index++) if (chunk[from + index] !== beginning[index]) return null;
    // Characters that stand for themselves in JSON, and are one byte each.
    for (let at = idFrom; at < idTo; at++) {
      const byte = chunk[at]!;
      if (byte < 0x20 || byte > 0x7e || byte === quote || byte === backslash) return null;
    }
    for (let index = 0; index < end.length; index++) if (chunk[idTo + index] !== end[index]) return null;
    return { kind: 'workflow_resumable', instanceId: chunk.toString('latin1', idFrom, idTo), workflowName: this.#workflowName };
  }

  /** @param payload what was read as `wakeup`. */
  learn(payload: string, wakeup: Resumable): void {
    const { instanceId, workflowName, more } = wakeup;
    // Only of one that is written as this package writes it: then all that differ in the id are.
    if (more !== undefined || encodeWakeup(wakeup).payload !== payload) return;
    this.#end = Buffer.from(payload.slice(beginning.length + JSON.stringify(instanceId).length - 2));
    this.#workflowName = workflowName;
  }
}
