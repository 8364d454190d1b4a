// Writes the members of an object under keys that JSON, the databases and the tags leave free.
import { isStorableText, isTagLike, tagKey, textTree } from './json-codec-format.js';

/** Whether the members can stand in the object itself, as {@link putMember} does it; else they are a list of pairs. */
export function fitAsMembers(keys: readonly string[]): boolean {
  return keys.every(isStorableText);
}

export function putMember(tree: Record<string, unknown>, key: string, member: unknown): void {
  if (key === '__proto__') {
    // An assignment to this one would change the prototype instead of making a member.
    Object.defineProperty(tree, key, { value: member, enumerable: true });
  } else {
    tree[isTagLike(key) ? `$${key}` : key] = member;
  }
}

export function putPairs(tree: Record<string, unknown>, pairs: readonly (readonly [string, unknown])[]): void {
  tree[tagKey] = 'object';
  tree['value'] = pairs.map(([key, member]) => [textTree(key), member]);
}
