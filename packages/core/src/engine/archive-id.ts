// Names the row of an earlier part of an instance that recurs.
import { longestName } from '../domain/ids.js';

/** What a storage may put behind it when somebody has the id: a UUID and what is before it. */
const reserve = 40;

/**
 * `order-42~1`; of an id that leaves no room for that, the beginning. Such names may be the same for several instances: the storage then
 * puts something behind, and the name remains one that can be asked for.
 */
export function archiveIdOf(instanceId: string, part: number): string {
  const ending = `~${part}`;
  const most = longestName - reserve - ending.length;
  if (instanceId.length <= most) return `${instanceId}${ending}`;
  // Not through the middle of a character.
  const isHalf = /[\ud800-\udbff]$/.test(instanceId.slice(0, most));
  return `${instanceId.slice(0, isHalf ? most - 1 : most)}${ending}`;
}
