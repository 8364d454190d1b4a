// Reading: turns the tree that JSON.parse made of a stored text into the value that was written.
import { PayloadNotSerializableError } from '../domain/errors.js';
import type { ErrorRegistry } from './error-registry.js';
import { bufferOfBytes, viewOfBytes } from './json-codec-bytes.js';
import { isTagLike, pathText, tagKey, unwrapText, type PathStep } from './json-codec-format.js';
import { reviveError } from './json-codec-revive-error.js';

/**
 * The value of a stored text. It may have been through PostgreSQL's jsonb, which orders members anew and adds spaces.
 * @throws PayloadNotSerializableError when it is not JSON, or holds a tag that this version does not know or that is malformed.
 */
export function decodeText(text: string, registry: ErrorRegistry): unknown {
  let reader: TreeReader | undefined;
  try {
    const tree: unknown = JSON.parse(text);
    // Nearly all: one look, and nothing is made for it.
    if (!text.includes(tagEnd)) return tree;
    reader = new TreeReader(registry, text.includes(escapedTagEnd));
    return reader.read(tree);
  } catch (error) {
    throw (reader ?? new TreeReader(registry, false)).failed(error);
  }
}

/** How a tag shows in any JSON text; PostgreSQL's jsonb puts a space after the colon that follows. */
const tagEnd = `${tagKey}"`;
/** How the escaped key of a user shows, with one `$` or more in front. */
const escapedTagEnd = `$${tagEnd}`;

type Members = Record<string, unknown>;

/** An object or array of the tree, and where it hangs. */
interface Place {
  readonly node: Members;
  readonly key: PathStep;
  readonly outer: Place | undefined;
}

/**
 * One stored value on its way. The tree is changed in place: nobody else has it. It is worked off by a list instead of recursion, so
 * that what could be written can be read, however much of the stack is in use.
 */
class TreeReader {
  readonly #registry: ErrorRegistry;
  readonly #hasEscapedKeys: boolean;
  #place: Place | undefined;

  constructor(registry: ErrorRegistry, hasEscapedKeys: boolean) {
    this.#registry = registry;
    this.#hasEscapedKeys = hasEscapedKeys;
  }

  read(tree: unknown): unknown {
    const holder: Members = { tree };
    const places: Place[] = [{ node: holder, key: '', outer: undefined }];
    for (let next = 0; next < places.length; next++) {
      const outer = places[next]!;
      if (Array.isArray(outer.node)) {
        const items: readonly unknown[] = outer.node;
        for (let index = 0; index < items.length; index++) addPlace(places, items[index], index, outer);
      } else {
        for (const key of Object.keys(outer.node)) addPlace(places, outer.node[key], key, outer);
      }
    }
    // What holds another comes before it in the list: from the end on, all is restored before what it is in.
    for (let last = places.length - 1; last > 0; last--) {
      const place = (this.#place = places[last]!);
      const restored = this.#restore(place.node);
      // JSON.parse made `__proto__`, too, a member like others, and an assignment to a member that is there changes that one.
      if (restored !== place.node) place.outer!.node[place.key as string] = restored;
    }
    return holder['tree'];
  }

  failed(reason: unknown): PayloadNotSerializableError {
    const steps: PathStep[] = [];
    for (let at = this.#place; at?.outer?.outer !== undefined; at = at.outer) steps.push(at.key);
    const path = pathText(steps.reverse());
    return new PayloadNotSerializableError(`a stored payload cannot be read, at ${path}: ${(reason as Error).message}`, { path });
  }

  #restore(node: Members): unknown {
    if (Array.isArray(node)) return node;
    return Object.hasOwn(node, tagKey) ? this.#revive(node) : this.#hasEscapedKeys ? unescaped(node) : node;
  }

  /** What a tag stands for; its members are restored already. */
  #revive(members: Members): unknown {
    const { [tagKey]: tag, value } = members;
    switch (tag) {
      case 'undefined':
        return undefined;
      case 'number':
        return oneOf(specialNumbers, value);
      case 'bigint':
        return BigInt(text(value));
      case 'string':
        return unwrapText(text(value));
      case 'object':
        return objectOf(list(value));
      case 'Date':
        return new Date(value === null ? Number.NaN : text(value));
      case 'Map':
        return new Map(list(value).map((pair) => [list(pair)[0], list(pair)[1]]));
      case 'Set':
        return new Set(list(value));
      case 'RegExp':
        return Object.assign(new RegExp(text(value), text(members['flags'])), { lastIndex: members['lastIndex'] ?? 0 });
      case 'URL':
        return new URL(text(value));
      case 'ArrayBuffer':
        return bufferOfBytes(bytes(value));
      case 'Error':
        return reviveError(members, this.#registry);
      default: {
        const view = typeof tag === 'string' && typeof value === 'string' ? viewOfBytes(tag, bytes(value)) : undefined;
        if (view !== undefined) return view;
        throw new TypeError(
          `the tag ${JSON.stringify(tag)} is unknown; it was written by a newer version of @romancy/core, or not by its codec`,
        );
      }
    }
  }
}

function addPlace(places: Place[], node: unknown, key: PathStep, outer: Place): void {
  if (typeof node === 'object' && node !== null) places.push({ node: node as Members, key, outer });
}

const specialNumbers: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

/** The object with members that had to be written under another name under their own again. */
function unescaped(members: Members): Members {
  const keys = Object.keys(members);
  return keys.some(isTagLike) ? objectOf(keys.map((key) => [isTagLike(key) ? key.slice(1) : key, members[key]])) : members;
}

function objectOf(pairs: readonly unknown[]): Members {
  const object: Members = {};
  for (const pair of pairs) {
    const [key, value] = list(pair);
    Object.defineProperty(object, text(key), { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

function oneOf<T>(known: ReadonlyMap<unknown, T>, value: unknown): T {
  const found = known.get(value);
  if (found === undefined) throw new TypeError(`${JSON.stringify(value)} is none of ${[...known.keys()].join(', ')}`);
  return found;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a string is missing');
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list is missing');
  return value;
}

function bytes(value: unknown): Buffer {
  return Buffer.from(text(value), 'base64');
}
