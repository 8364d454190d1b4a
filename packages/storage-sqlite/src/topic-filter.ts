// What a subscription compares, as the texts of its row.
import type { TopicFilter } from '@romancy/core/ports';
import { valueAt, type JsonPath } from './json-place.js';

/** Both empty: everything is taken. No path and no value of JSON is empty text. */
export interface FilterTexts {
  readonly path: string;
  readonly value: string;
}

export const noFilter: FilterTexts = { path: '', value: '' };

/** Equal filters have equal texts. */
export function filterTexts(filter: TopicFilter | undefined): FilterTexts {
  return filter === undefined ? noFilter : { path: JSON.stringify(filter.path), value: JSON.stringify(filter.equals) };
}

/**
 * The value that a filter of this path would have to have; undefined: none would fit. Compared here and not in SQL, as lists compare
 * their inputs: the JSON functions of SQLite refuse what is nested deeper than 1,000 levels, and know `1.0` and `1` as two.
 */
export function fittingValue(root: unknown, path: string): string | undefined {
  const value = valueAt(root, JSON.parse(path) as JsonPath);
  return typeof value === 'object' && value !== null ? undefined : JSON.stringify(value);
}
