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
  // One note, lines of one channel, or lists of lines, each between what is the same in all its notes.
  if (texts.length === 2) return texts[1]!.split('\n').map((payload) => ({ channel: texts[0]!, payload }));
  const notes: SentNote[] = [];
  for (let at = 0; at < texts.length; at += 4) {
    const [channel, head, tail, lines] = texts.slice(at, at + 4) as [string, string, string, string];
    for (const line of lines.split('\n')) notes.push({ channel, payload: head + line + tail });
  }
  return notes;
}
