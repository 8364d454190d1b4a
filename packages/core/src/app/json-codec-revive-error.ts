// Makes an error again of what was written of it, of its own class where that is known.
import type { ErrorRegistry } from './error-registry.js';
import { separateErrorMembers } from './json-codec-format.js';
import { rememberOrigin } from './json-codec-origin.js';

type Members = Readonly<Record<string, unknown>>;

/**
 * The error of a tag whose members are restored already. No constructor of its class is called: that would ask for arguments which
 * nobody has, and could do anything. Members are defined and not assigned, so that no setter of the class is called either.
 */
export function reviveError(members: Members, registry: ErrorRegistry): Error {
  const classes = [members['class'], ...listOf(members['extends'])].filter((name) => typeof name === 'string');
  const error = bareError(registry.prototypeFor(classes) ?? Error.prototype, members);
  const fields = recordOf(members['fields']);

  setStack(error, members['stack']);
  for (const key of separateErrorMembers) {
    if (key === 'stack' || !Object.hasOwn(members, key) || isThereAlready(error, fields, key, members[key])) continue;
    hide(error, key, members[key]);
  }
  for (const key of Object.keys(fields)) {
    Object.defineProperty(error, key, { value: fields[key], writable: true, enumerable: true, configurable: true });
  }
  if (extendsRomancyError(error)) Object.defineProperty(error, brand, { value: true });
  rememberOrigin(error, { classes, omitted: listOf(members['omitted']).filter((key) => typeof key === 'string') });
  return error;
}

/** In place of the stack that is there, which tells of this function; undefined when the original had none. */
function setStack(error: Error, stack: unknown): void {
  // A definition over the engine's own property would first have it write the old stack out, which takes longer than all the rest.
  if (Object.hasOwn(error, 'stack')) (error as { stack: unknown }).stack = stack;
  else hide(error, 'stack', stack);
}

/** A name or message that the class or the fields supply is not defined once more. */
function isThereAlready(error: Error, fields: Members, key: string, value: unknown): boolean {
  return (key === 'name' || key === 'message') && (Object.hasOwn(fields, key) || error[key] === value);
}

const brand = Symbol.for('@romancy/error');

/** A real error, which debuggers and `util.types.isNativeError` know as one, under the prototype of its class. */
function bareError(prototype: object, members: Members): Error {
  const isDomException =
    prototype === DOMException.prototype || Object.prototype.isPrototypeOf.call(DOMException.prototype, prototype);
  // The name and message of a DOMException cannot be defined later: they are getters over what its constructor was given.
  const error = isDomException ? new DOMException(textOf(members['message']), textOf(members['name'])) : new Error();
  return Object.setPrototypeOf(error, prototype) as Error;
}

/** By name, since the registered class may extend the RomancyError of another copy of this package. */
function extendsRomancyError(error: object): boolean {
  for (let at = Object.getPrototypeOf(error) as object | null; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if ((at.constructor as { readonly name?: unknown } | undefined)?.name === 'RomancyError') return true;
  }
  return false;
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function recordOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
