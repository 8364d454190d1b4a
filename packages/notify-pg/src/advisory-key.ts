// Keys of advisory locks: two signed 32-bit numbers, shared by all programs of a database.
import { createHash } from 'node:crypto';
import type { Entropy } from '@romancy/core/ports';

export interface AdvisoryKey {
  readonly classId: number;
  readonly objectId: number;
}

/** A number that stands for a text: the first half of a key, so that others' locks are met only by chance. */
export function classIdOf(text: string): number {
  return createHash('sha256').update(text).digest().readInt32BE(0);
}

export function randomObjectId(entropy: Entropy): number {
  return Math.floor(entropy.random() * 2 ** 32) - 2 ** 31;
}
