// The token of a start as it is stored.
import type { NewInstance } from '@romancy/core/ports';

/** Null where it is the id, as of every start whose id was made for it: most tables would have each id twice otherwise, in each version of a row. */
export function storedToken({ instanceId, startToken }: NewInstance): string | null {
  return startToken === instanceId ? null : startToken;
}
