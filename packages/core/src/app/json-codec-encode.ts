// The slow path of writing: turns any value that can be restored into a tree of plain JSON with tags.
import { PayloadNotSerializableError } from '../domain/errors.js';
import type { ErrorRegistry } from './error-registry.js';
import { bytesOfView } from './json-codec-bytes.js';
import { outlineOf, writeError } from './json-codec-encode-error.js';
import { fitAsMembers, putMember, putPairs } from './json-codec-encode-members.js';
import { deepestNesting, isStorableText, tagKey, wrapText, type PathStep } from './json-codec-format.js';
import { kindOf, viewName } from './json-codec-kind.js';
import { isGivenUp, pathOf, type Guard, type Place } from './json-codec-place.js';
import { refusalOf } from './json-codec-refusal.js';

/**
 * JSON text of the value.
 * @throws PayloadNotSerializableError with the path of what cannot be written.
 */
export function encodeTree(value: unknown, registry: ErrorRegistry): string {
  const builder = new TreeBuilder(registry);
  try {
    return JSON.stringify(builder.build(value));
  } catch (error) {
    throw builder.refusal(error);
  }
}

/** What is written for an object or array; filled after it was put where it belongs. */
type Tree = Record<string, unknown>;
type Members = Readonly<Record<string, unknown>>;

/**
 * One value on its way. It is worked off by a list instead of recursion, so that what can be written does not depend on how much of
 * the stack its caller used. Members are read once each and everything is copied: no getter, proxy or toJSON of the user has a say
 * in what is written after it was looked at.
 */
class TreeBuilder {
  readonly #registry: ErrorRegistry;
  readonly #places: Place[] = [];
  /** What can be done only when it is known which members failed. */
  readonly #last: (() => void)[] = [];
  /** Where the work is: in this object, at this step. */
  #place: Place | undefined;
  #step: PathStep | undefined;

  constructor(registry: ErrorRegistry) {
    this.#registry = registry;
  }

  build(value: unknown): unknown {
    const tree = this.#treeOf(value, 0, undefined);
    // Depth first, so that a cycle shows after one way round and not after all ways of its length.
    for (let place = this.#places.pop(); place !== undefined; place = this.#places.pop()) {
      if (isGivenUp(place.guard)) continue;
      this.#place = place;
      this.#step = undefined;
      const rest = this.#places.length;
      try {
        this.#fill(place);
      } catch (error) {
        if (place.guard === undefined) throw error;
        place.guard.failed = true;
      }
      // The first member is the next to come: of several that cannot be written, a reader expects to be told of the first.
      reverseFrom(this.#places, rest);
    }
    this.#place = this.#step = undefined;
    for (const finish of this.#last) finish();
    return tree;
  }

  /** What to throw for what came up; also for a getter that throws, a revoked proxy, a text longer than a string can be. */
  refusal(error: unknown): PayloadNotSerializableError {
    if (error instanceof PayloadNotSerializableError) return error;
    if (error instanceof RangeError) return this.#refuse(`is too large to be written down (${error.message})`);
    return this.#refuse(`cannot be read: ${error instanceof Error ? error.message : typeof error}`);
  }

  #refuse(reason: string): PayloadNotSerializableError {
    const path = pathOf(this.#place, this.#step);
    return new PayloadNotSerializableError(`${path} ${reason}`, { path });
  }

  #checkRoom(levels: number): void {
    if (levels <= deepestNesting) return;
    throw this.#refuse(`is nested too deeply; the limit is ${deepestNesting} levels of JSON: pass a flatter value`);
  }

  /** The tree of what is at the current step. That of an object is put on the list, and is empty until its turn. */
  #treeOf(value: unknown, level: number, guard: Guard | undefined): unknown {
    switch (typeof value) {
      case 'string':
        return isStorableText(value) ? value : this.#tagged('string', wrapText(value), level);
      case 'boolean':
        return value;
      case 'number':
        if (Object.is(value, -0)) return this.#tagged('number', '-0', level);
        return Number.isFinite(value) ? value : this.#tagged('number', String(value), level);
      case 'bigint':
        return this.#tagged('bigint', String(value), level);
      case 'undefined':
        return this.#tagged('undefined', undefined, level);
      case 'object':
        return value === null ? null : this.#defer(value, level, guard);
      default:
        throw this.#refuse(refusalOf(value));
    }
  }

  #tagged(tag: string, value: unknown, level: number): Tree {
    this.#checkRoom(level + 1);
    return value === undefined ? { [tagKey]: tag } : { [tagKey]: tag, value };
  }

  #defer(value: object, level: number, guard: Guard | undefined): unknown {
    this.#checkRoom(level + 1);
    for (let place = this.#place; place !== undefined; place = place.outer) {
      if (place.value !== value) continue;
      const there = pathOf(place, undefined);
      throw this.#refuse(`refers back to ${there}; a payload has no cycles: pass an id, or leave the reference out`);
    }
    const kind = kindOf(value);
    if (kind === 'other') throw this.#refuse(refusalOf(value));
    const tree = kind === 'array' ? [] : {};
    this.#places.push({ value, kind, tree, step: this.#step, outer: this.#place, level, guard });
    return tree;
  }

  #inside(step: PathStep, value: unknown, level: number): unknown {
    this.#step = step;
    return this.#treeOf(value, level, this.#place?.guard);
  }

  #fill(place: Place): void {
    const { value, level } = place;
    const tree = place.tree as Tree;
    switch (place.kind) {
      case 'array':
        return this.#fillArray(value as readonly unknown[], place.tree as unknown[], level);
      case 'plain':
        return this.#fillPlain(value, tree, level);
      case 'error':
        return this.#fillError(value as Error, tree, level);
      case 'Date': {
        const time = Date.prototype.getTime.call(value);
        return fill(tree, 'Date', Number.isNaN(time) ? null : new Date(time).toISOString());
      }
      case 'Map':
        return this.#fillMap(value as ReadonlyMap<unknown, unknown>, tree, level);
      case 'Set': {
        this.#checkRoom(level + 2);
        const items = Array.from(value as ReadonlySet<unknown>);
        return fill(
          tree,
          'Set',
          items.map((item, index) => this.#inside({ call: `values()[${index}]` }, item, level + 2)),
        );
      }
      case 'view': {
        const name = viewName(value as ArrayBufferView);
        return fill(tree, name, bytesOfView(value as ArrayBufferView, name).toString('base64'));
      }
      case 'ArrayBuffer':
        return fill(tree, 'ArrayBuffer', Buffer.from(value as ArrayBuffer).toString('base64'));
      case 'RegExp': {
        const { source, flags, lastIndex } = value as RegExp;
        fill(tree, 'RegExp', this.#treeOf(source, level + 1, undefined));
        return void Object.assign(tree, { flags }, lastIndex === 0 ? undefined : { lastIndex });
      }
      case 'URL':
        return fill(tree, 'URL', (value as URL).href);
      case 'other':
        throw new TypeError('objects of an unknown kind are refused before they are put on the list');
    }
  }

  #fillArray(value: readonly unknown[], tree: unknown[], level: number): void {
    for (let index = 0; index < value.length; index++) {
      // Before the item is read, so that a getter or proxy that throws is found at its place.
      this.#step = index;
      tree.push(this.#inside(index, value[index], level + 1));
    }
  }

  #fillMap(value: ReadonlyMap<unknown, unknown>, tree: Tree, level: number): void {
    this.#checkRoom(level + (value.size === 0 ? 2 : 3));
    const pairs = Array.from(value, ([key, item], index) => {
      const entry = `entries()[${index}]`;
      const itemStep = typeof key === 'string' ? `get(${JSON.stringify(key)})` : `${entry}[1]`;
      return [this.#inside({ call: `${entry}[0]` }, key, level + 3), this.#inside({ call: itemStep }, item, level + 3)];
    });
    fill(tree, 'Map', pairs);
  }

  #fillPlain(value: object, tree: Tree, level: number): void {
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      if (!Object.prototype.propertyIsEnumerable.call(value, symbol)) continue;
      throw this.#refuse(`has the symbol ${String(symbol)} as a key, which no database can hold; pass an object with text keys`);
    }
    const keys = Object.keys(value);
    const member = (key: string, inner: number): unknown => {
      this.#step = key;
      return this.#inside(key, (value as Members)[key], inner);
    };
    if (fitAsMembers(keys)) {
      for (const key of keys) putMember(tree, key, member(key, level + 1));
    } else {
      this.#checkRoom(level + 4);
      putPairs(
        tree,
        keys.map((key) => [key, member(key, level + 3)]),
      );
    }
  }

  /** What is inside of a member may fail later, when its turn comes: so the error is put together at the end. */
  #fillError(error: Error, tree: Tree, level: number): void {
    // Class names, and fields with odd keys, need that much. Deeper inside an error is refused as a whole.
    this.#checkRoom(level + 5);
    const outline = outlineOf(error, this.#registry);
    const outer = this.#place?.guard;
    const attempt = (levelOfMember: number) => (key: string) => {
      const guard: Guard = { failed: false, outer };
      this.#step = key;
      try {
        return { key, guard, tree: this.#treeOf((error as unknown as Members)[key], levelOfMember, guard) };
      } catch {
        return { key, guard: { failed: true, outer }, tree: undefined };
      }
    };
    const apart = outline.apart.map(attempt(level + 1));
    const fields = outline.fields.map(attempt(fitAsMembers(outline.fields) ? level + 2 : level + 4));
    this.#last.push(() => writeError(tree, outline, { apart, fields }));
  }
}

function fill(tree: Tree, tag: string, value: unknown): void {
  tree[tagKey] = tag;
  tree['value'] = value;
}

function reverseFrom(places: Place[], start: number): void {
  for (let low = start, high = places.length - 1; low < high; low++, high--) {
    [places[low], places[high]] = [places[high]!, places[low]!];
  }
}
