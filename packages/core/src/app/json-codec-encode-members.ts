// Writes the members of an object under keys that JSON, the databases and the tags leave free.
import { isStorableText, isTagLike, tagKey, textTree } from './json-codec-format.js';

/** Fills `tree` with members, or, when a key is no storable text, with the tag for a list of pairs. */
export function fillMembers(tree: Record<string, unknown>, members: readonly (readonly [string, unknown])[]): void {
  if (!members.every(([key]) => isStorableText(key))) {
    tree[tagKey] = 'object';
    tree['value'] = members.map(([key, member]) => [textTree(key), member]);
    return;
  }
  for (const [key, member] of members) {
    const name = isTagLike(key) ? `$${key}` : key;
    if (name !== '__proto__') tree[name] = member;
    // An assignment to this one would change the prototype instead of making a member.
    else Object.defineProperty(tree, name, { value: member, enumerable: true });
  }
}
