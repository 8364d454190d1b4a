// Which error classes are known by which names, so that an error is of its class again when it is read.
import * as romancyErrors from '../domain/errors.js';
import type { ErrorClass } from '../domain/retry-policy.js';
import { isStorableText } from './json-codec-format.js';

/**
 * An error class to be restored. Alone it is known by its class name; with `name` by that, which a minifier cannot change and a
 * renamed class can keep. A class may be given several times: what is written is the first name, what is read is any of them.
 */
export type RegisteredError = ErrorClass | { readonly name: string; readonly errorClass: ErrorClass };

export interface ErrorRegistry {
  /**
   * The names of an error's class and of those that it extends, nearest first. Left out: Error itself, classes without a name, and
   * classes that have the name of a built-in one without being it.
   */
  namesOf(error: object): readonly string[];
  /** The prototype of the first name that is known; undefined when none is. */
  prototypeFor(names: readonly string[]): object | undefined;
}

/** Before the name of a class of Romancy's own, so that a user's ValidationError is not taken for ours. */
const own = 'romancy:';
const brand = Symbol.for('@romancy/error');

/** Those of the language and the platform; some come with later versions of Node. */
const builtInNames = [
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'SuppressedError',
  'DOMException',
] as const;
const reserved: ReadonlySet<string> = new Set(['Error', ...builtInNames]);

/** @throws ConfigurationError when an item is no error class, has no usable name, or has the name of another. */
export function createErrorRegistry(errors: readonly RegisteredError[]): ErrorRegistry {
  const prototypes = new Map<string, object>();
  const names = new Map<object, string>();
  const add = (name: string, prototype: object): void => {
    prototypes.set(name, prototype);
    if (!names.has(prototype)) names.set(prototype, name);
  };
  for (const [name, prototype] of builtIn) add(name, prototype);
  if (!Array.isArray(errors)) throw refused('it takes a list of error classes');
  for (const item of errors as readonly RegisteredError[]) {
    const { name, prototype } = checked(item);
    if ((prototypes.get(name) ?? prototype) !== prototype) {
      throw refused(`two classes are named ${name}; give one of them another name: { name: 'other', errorClass }`);
    }
    add(name, prototype);
  }
  return {
    namesOf(error) {
      const found: string[] = [];
      for (let prototype = parentOf(error); prototype !== null; prototype = parentOf(prototype)) {
        const name = names.get(prototype) ?? nameOfUnknown(prototype, error);
        if (name === 'Error') break;
        if (name !== undefined) found.push(name);
      }
      return found;
    },
    prototypeFor(candidates) {
      for (const name of candidates) {
        const prototype = prototypes.get(name);
        if (prototype !== undefined) return prototype;
      }
      return undefined;
    },
  };
}

/** What every registry knows, by name. */
const builtIn: ReadonlyMap<string, object> = new Map([...platformClasses(), ...romancyClasses()]);

function* platformClasses(): Iterable<[string, object]> {
  yield ['Error', Error.prototype];
  for (const name of builtInNames) {
    const errorClass = (globalThis as Readonly<Record<string, unknown>>)[name];
    if (typeof errorClass === 'function') yield [name, errorClass.prototype as object];
  }
}

/** By the names under which they are exported: those stay when a bundler shortens the names of classes. */
function* romancyClasses(): Iterable<[string, object]> {
  const base: object = romancyErrors.RomancyError.prototype;
  for (const [name, exported] of Object.entries<unknown>(romancyErrors)) {
    if (typeof exported !== 'function') continue;
    const prototype: unknown = exported.prototype;
    if (prototype === base || Object.prototype.isPrototypeOf.call(base, prototype as object))
      yield [own + name, prototype as object];
  }
}

/** The name of a class that was not registered as this very object: a user's, or one of another copy of a package or realm. */
function nameOfUnknown(prototype: object, error: object): string | undefined {
  const className = classNameOf(prototype);
  if (className === undefined) return undefined;
  if (isOfOtherCopy(prototype, error) && builtIn.has(own + className)) return own + className;
  if (!reserved.has(className)) return className.startsWith(own) ? undefined : className;
  return isNative(prototype.constructor) ? className : undefined;
}

/** A class of Romancy in another copy of this package: all of them extend RomancyError directly, and none is in this copy's chain. */
function isOfOtherCopy(prototype: object, error: object): boolean {
  if (!(brand in error) || Object.prototype.isPrototypeOf.call(romancyErrors.RomancyError.prototype, error)) return false;
  const parent = parentOf(prototype);
  return classNameOf(prototype) === 'RomancyError' || (parent !== null && classNameOf(parent) === 'RomancyError');
}

function classNameOf(prototype: object): string | undefined {
  if (!Object.hasOwn(prototype, 'constructor')) return undefined;
  const name = (prototype.constructor as { readonly name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name !== '' && isStorableText(name) ? name : undefined;
}

/** Whether it is the engine's own code: a built-in class of another realm and no class that only has its name. */
function isNative(code: unknown): boolean {
  return typeof code === 'function' && /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(code));
}

function checked(item: RegisteredError): { readonly name: string; readonly prototype: object } {
  // Plain JavaScript may pass anything.
  const { name, errorClass } =
    typeof item === 'function' ? { name: item.name, errorClass: item } : (Object(item) as Exclude<RegisteredError, ErrorClass>);
  const prototype: unknown = typeof errorClass === 'function' ? errorClass.prototype : undefined;
  if (typeof prototype !== 'object' || !(prototype instanceof Error)) {
    throw refused(`${String(name)} is no class that extends Error`);
  }
  if (typeof name !== 'string' || name === '' || !isStorableText(name)) {
    throw refused(`a class has no usable name; give it one: { name: 'payment-declined', errorClass }`);
  }
  if (reserved.has(name) || name.startsWith(own)) {
    throw refused(`the name ${name} belongs to a built-in class; give yours another: { name: 'my-${name}', errorClass }`);
  }
  return { name, prototype };
}

function refused(reason: string): romancyErrors.ConfigurationError {
  return new romancyErrors.ConfigurationError(`errors: ${reason}`, { option: 'errors' });
}

function parentOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}
