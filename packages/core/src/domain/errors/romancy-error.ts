// What all errors of Romancy have in common: a literal code, and an `instanceof` that survives two copies of the package.

const brand = Symbol.for('@romancy/error');

/** Codes by which errors can be told apart without a class; stable across versions. */
export type RomancyErrorCode =
  | 'ACTIVITY_FAILED'
  | 'ACTIVITY_TIMEOUT'
  | 'CHANNEL_MODE_CONFLICT'
  | 'COMPENSATION_NOT_FOUND'
  | 'CONFIGURATION'
  | 'DUPLICATE_CALL_ID'
  | 'INSTANCE_CONFLICT'
  | 'INSTANCE_FINISHED'
  | 'INSTANCE_NOT_FOUND'
  | 'INVALID_ARGUMENT'
  | 'LEASE_LOST'
  | 'NESTED_CALL'
  | 'NON_DETERMINISM'
  | 'NOT_RUNNING'
  | 'NOT_SUBSCRIBED'
  | 'PAYLOAD_NOT_SERIALIZABLE'
  | 'PAYLOAD_TOO_LARGE'
  | 'RESULT_TIMEOUT'
  | 'SCHEMA_VERSION'
  | 'STORAGE_UNAVAILABLE'
  | 'TERMINAL'
  | 'TRANSACTION'
  | 'VALIDATION'
  | 'WAIT_TIMEOUT'
  | 'WORKFLOW_CANCELLED'
  | 'WORKFLOW_FAILED';

/**
 * The base of all errors of Romancy. `instanceof` one of Romancy's classes goes by class name and brand where the prototype does not
 * tell, so that it also holds when two copies of the package are loaded. `instanceof` a class that a user derived goes by the
 * prototype alone: two classes that merely share a name are two.
 */
export abstract class RomancyError extends Error {
  abstract readonly code: RomancyErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    Object.defineProperty(this, brand, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    if (!(brand in value) || !(this === RomancyError || Object.getPrototypeOf(this) === RomancyError)) return false;
    for (let proto = prototypeOf(value); proto !== null; proto = prototypeOf(proto)) {
      if (classNameOf(proto) !== this.name) continue;
      // A user's TerminalError that extends some other class of Romancy is not Romancy's.
      if (this === RomancyError || classNameOf(prototypeOf(proto)) === RomancyError.name) return true;
    }
    return false;
  }
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}

function classNameOf(prototype: object | null): unknown {
  return (prototype?.constructor as { readonly name?: unknown } | undefined)?.name;
}
