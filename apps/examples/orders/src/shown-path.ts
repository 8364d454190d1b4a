// Paths for the eyes of the user.
import { relative, resolve } from 'node:path';

/** From the current folder where the path is in it, else as a whole. */
export function shownPath(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') ? resolve(path) : short;
}
