// Looks whether a text is worth the work of reading it as JSON.
import { mostShared } from './shared-note.js';

/** A text up to here costs little whatever is in it; one of 8,000 brackets costs a thousand times what a note of ours does. */
const shortEnough = 512;
/** Brackets and commas outside of strings. A note of ours has a comma for each id that shares it, and four more. */
const mostMarks = mostShared + 4;

const [quote, backslash] = ['"', '\\'].map((character) => character.charCodeAt(0));
const marks = new Set(['[', '{', ','].map((character) => character.charCodeAt(0)));

/** Whether a text that claims to be JSON is short, or says one large thing rather than many. Takes some 10 µs for the largest of notes. */
export function isPlain(text: string): boolean {
  if (text.length <= shortEnough) return true;
  let isString = false;
  let seen = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) isString = !isString;
    else if (isString) at += character === backslash ? 1 : 0;
    else if (marks.has(character) && ++seen > mostMarks) return false;
  }
  return true;
}
