// Filters of subscriptions as they are stored: a path and a value, as texts that are compared byte by byte.
import { createHash } from 'node:crypto';
import type { NewSubscription } from '@romancy/core/ports';
import { longestValue } from './mail-functions.js';

export interface StoredFilter {
  /** JSON text of the path; '' without a filter. */
  readonly path: string;
  /** JSON text of the value, or its hash when that is long; '' without a filter. */
  readonly value: string;
}

/** JSON is written in one way only, for mail as well as here: what is equal is equal byte by byte. */
export function storedFilter({ filter }: Pick<NewSubscription, 'filter'>): StoredFilter {
  if (filter === undefined) return { path: '', value: '' };
  const { path, equals } = filter;
  // No mail has these; JSON would make null of them, which some has.
  const isNumber = typeof equals !== 'number' || Number.isFinite(equals);
  const value = isNumber ? JSON.stringify(equals) : String(equals);
  const isLong = Buffer.byteLength(value) > longestValue;
  return {
    path: JSON.stringify(path),
    value: isLong ? `sha256:${createHash('sha256').update(value).digest('hex')}` : value,
  };
}
