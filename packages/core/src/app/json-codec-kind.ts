// Tells what an object is by what it is made of, not by what it says of itself.

/** Kinds of objects that the codec can restore; `other` are all those that it cannot. */
export type ObjectKind =
  'plain' | 'array' | 'error' | 'view' | 'ArrayBuffer' | 'Date' | 'Map' | 'RegExp' | 'Set' | 'URL' | 'other';

/**
 * The kind of an object, also of one from another realm (a `vm` context, as some test runners use). Instances of subclasses are
 * `other`, except for errors and Buffer: their class could not be restored.
 */
export function kindOf(value: object): ObjectKind {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || isRoot(prototype)) return 'plain';
  if (Array.isArray(value)) return isArrayPrototype(prototype) ? 'array' : 'other';
  if (value instanceof Error || isForeignError(value)) return 'error';
  if (ArrayBuffer.isView(value)) return isViewPrototype(prototype, viewName(value)) ? 'view' : 'other';
  if (!isRoot(Object.getPrototypeOf(prototype))) return 'other';
  for (const [kind, probe] of probes) if (succeeds(probe, value)) return kind;
  return 'other';
}

/** `Uint8Array`, `Float64Array`, `DataView` and so on, by internal slot; the same for subclasses such as Buffer. */
export function viewName(view: ArrayBufferView): string {
  return (readTypedArrayName(view) as string | undefined) ?? 'DataView';
}

const readTypedArrayName = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag);

/** Each throws unless its argument has the internal slots of its kind. A prototype chain alone does not get past it. */
const probes: readonly (readonly [ObjectKind, (value: object) => unknown])[] = [
  ['Date', (value) => Date.prototype.getTime.call(value)],
  ['Map', getterOf(Map.prototype, 'size')],
  ['Set', getterOf(Set.prototype, 'size')],
  ['RegExp', getterOf(RegExp.prototype, 'source')],
  ['ArrayBuffer', getterOf(ArrayBuffer.prototype, 'byteLength')],
  ['URL', getterOf(URL.prototype, 'href')],
];

function getterOf(prototype: object, key: PropertyKey): (value: object) => unknown {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
  return (value) => descriptor?.get?.call(value) as unknown;
}

function succeeds(probe: (value: object) => unknown, value: object): boolean {
  try {
    probe(value);
    return true;
  } catch {
    return false;
  }
}

/** Object.prototype of this realm or another. */
function isRoot(prototype: unknown): boolean {
  if (prototype === Object.prototype) return true;
  if (typeof prototype !== 'object' || prototype === null) return false;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** Array.prototype is an array itself, in every realm; the prototype of a subclass is none. */
function isArrayPrototype(prototype: unknown): boolean {
  return prototype === Array.prototype || (Array.isArray(prototype) && isRoot(Object.getPrototypeOf(prototype)));
}

function isViewPrototype(prototype: unknown, name: string): boolean {
  const className = (prototype as { readonly constructor?: { readonly name?: unknown } }).constructor?.name;
  return className === name || className === 'Buffer';
}

/** An error of another realm: the language calls it so, and nothing in its prototype chain makes it say so. */
function isForeignError(value: object): boolean {
  return !(Symbol.toStringTag in value) && Object.prototype.toString.call(value) === '[object Error]';
}
