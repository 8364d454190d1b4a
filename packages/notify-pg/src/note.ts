// One note: what pg_notify is called with.
import type { NoteKind } from './channel-names.js';

export interface Note {
  readonly kind: NoteKind;
  /** JSON. */
  readonly payload: string;
}

/** PostgreSQL refuses payloads of 8,000 bytes with an error that ends the transaction; this is well below, whatever the encoding. */
export const longestPayloadBytes = 7900;

/** Says that there may be work of any kind. */
export const everythingNote: Note = Object.freeze({ kind: 'everything', payload: '{}' });
