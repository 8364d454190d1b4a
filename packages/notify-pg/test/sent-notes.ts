// Reads a statement as a server would: which notes it sends.
import type { PgQuery } from '../src/pg-client.js';

export interface SentNote {
  readonly channel: string;
  readonly payload: string;
}

/** Null: the statement sends none. */
export function sentNotes({ text, values = [] }: PgQuery): readonly SentNote[] | null {
  if (!text.includes('pg_notify(')) return null;
  const texts = values as string[];
  return texts.flatMap((name, at) =>
    at % 2 === 1 ? [] : texts[at + 1]!.split('\n').map((each) => ({ channel: name, payload: each })),
  );
}
