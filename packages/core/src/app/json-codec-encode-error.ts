// What of an error is written, and how it is put together.
import type { ErrorRegistry } from './error-registry.js';
import { fitAsMembers, putMember, putPairs } from './json-codec-encode-members.js';
import { separateErrorMembers, tagKey, textTree } from './json-codec-format.js';
import { originOf } from './json-codec-origin.js';

/** Names of what is to be written of an error. */
export interface ErrorOutline {
  /** Of its class and those between it and Error, nearest first. */
  readonly classes: readonly string[];
  /** Members that are written beside the fields. */
  readonly apart: readonly string[];
  readonly fields: readonly string[];
  /** Members that were left out when it was written before. */
  readonly omitted: readonly string[];
}

/** The tree of a member of an error; when its guard says failed, there is none. */
export interface WrittenMember {
  readonly key: string;
  readonly tree: unknown;
  readonly guard: { readonly failed: boolean };
}

export function outlineOf(error: Error, registry: ErrorRegistry): ErrorOutline {
  const origin = originOf(error);
  return {
    classes: origin?.classes ?? registry.namesOf(error),
    apart: separateErrorMembers.filter((key) => isWrittenApart(error, key)),
    // The name is a field besides when it is enumerable, so that the fields are the same and in the same order when it is read.
    fields: Object.keys(error).filter((key) => key === 'name' || !isWrittenApart(error, key)),
    omitted: origin?.omitted.filter((key) => !Object.hasOwn(error, key)) ?? [],
  };
}

/** Name, message and stack always, the cause when there is one, and lists of errors where they are as the language makes them. */
function isWrittenApart(error: Error, key: string): boolean {
  if (key === 'name' || key === 'message' || key === 'stack') return true;
  if (key === 'cause') return Object.hasOwn(error, key);
  if (!(separateErrorMembers as readonly string[]).includes(key)) return false;
  return Object.hasOwn(error, key) && !Object.prototype.propertyIsEnumerable.call(error, key);
}

/**
 * An error is what happened, not what somebody chose to pass: a member that cannot be written (a socket, a function, a circle of
 * requests and responses) is left out and its name noted, so that the failure itself is not lost over it.
 */
export function writeError(
  tree: Record<string, unknown>,
  outline: ErrorOutline,
  members: { readonly apart: readonly WrittenMember[]; readonly fields: readonly WrittenMember[] },
): void {
  const [nearest, ...further] = outline.classes;
  const omitted = new Set(outline.omitted);
  for (const { key, guard } of [...members.apart, ...members.fields]) if (guard.failed) omitted.add(key);
  const fields = members.fields.filter(({ guard }) => !guard.failed);

  tree[tagKey] = 'Error';
  if (nearest !== undefined) tree['class'] = nearest;
  if (further.length > 0) tree['extends'] = further;
  for (const member of members.apart) if (!member.guard.failed) tree[member.key] = member.tree;
  if (fields.length > 0) {
    const inner: Record<string, unknown> = {};
    if (fitAsMembers(fields.map(({ key }) => key))) for (const { key, tree: member } of fields) putMember(inner, key, member);
    else
      putPairs(
        inner,
        fields.map((field) => [field.key, field.tree]),
      );
    tree['fields'] = inner;
  }
  if (omitted.size > 0) tree['omitted'] = Array.from(omitted, textTree);
}
