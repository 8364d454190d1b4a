// Keys of the advisory locks that transactions take.
import type { TableNames } from './table-names.js';

/**
 * `topic`: the queue and the seekers of one topic. `stream`: which event of a stream comes first: shared by those who write events, alone for those
 * who end some. `relay`: taking events of a stream.
 */
export type LockKind = 'topic' | 'stream' | 'relay';

/**
 * An expression for the key: one number of 64 bits, so that two names share a lock by accident only (then one of them waits a moment), and so that
 * no lock is among those by two numbers, as which signs of life are taken (see upkeep-function.ts).
 *
 * @param name an expression for the name of what is locked.
 */
export function lockKey({ schema }: TableNames, kind: LockKind, name: string): string {
  return `hashtextextended('romancy ${kind} ${schema.replaceAll("'", "''")} ' || ${name}, 0)`;
}
