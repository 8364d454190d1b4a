// Errors of what a caller asks for: an option, an argument, a value, a time at which it cannot be had.
import { RomancyError } from './romancy-error.js';

/** An option or a definition is wrong; raised at once, where it was given. */
export class ConfigurationError extends RomancyError {
  readonly code = 'CONFIGURATION';
  /** The option or definition that is wrong. */
  readonly option: string;
  constructor(message: string, fields: { option: string; cause?: unknown }) {
    super(message, 'cause' in fields ? { cause: fields.cause } : undefined);
    this.option = fields.option;
  }
}

/** An argument of a call is wrong: a malformed cursor, path or id. Nothing was done. */
export class InvalidArgumentError extends RomancyError {
  readonly code = 'INVALID_ARGUMENT';
  readonly argument: string;
  constructor(message: string, fields: { argument: string }) {
    super(message);
    this.argument = fields.argument;
  }
}

/** The app is not started, or is stopping, and cannot take this call. */
export class NotRunningError extends RomancyError {
  readonly code = 'NOT_RUNNING';
}

/** Input or output does not satisfy its schema. Nothing was started or stored. */
export class ValidationError extends RomancyError {
  readonly code = 'VALIDATION';
  readonly issues: readonly { readonly path: string; readonly message: string }[];
  constructor(fields: { what: string; issues: readonly { readonly path: string; readonly message: string }[] }) {
    super(`${fields.what} is not valid: ${fields.issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ')}`);
    this.issues = fields.issues;
  }
}

/** A value cannot be written down so that it comes back as it was: a function, a symbol, an unregistered class instance, a cycle. */
export class PayloadNotSerializableError extends RomancyError {
  readonly code = 'PAYLOAD_NOT_SERIALIZABLE';
  /** Where in the value, such as `$.items[3].price`. */
  readonly path: string;
  constructor(message: string, fields: { path: string }) {
    super(message);
    this.path = fields.path;
  }
}

/** A value is larger than `maxPayloadBytes`. It was refused at the call; nothing was stored. */
export class PayloadTooLargeError extends RomancyError {
  readonly code = 'PAYLOAD_TOO_LARGE';
  readonly bytes: number;
  readonly limit: number;
  constructor(fields: { what: string; bytes: number; limit: number }) {
    super(
      `${fields.what} takes ${fields.bytes} bytes when written down; the limit is ${fields.limit} (option maxPayloadBytes). Store it elsewhere and pass a reference`,
    );
    this.bytes = fields.bytes;
    this.limit = fields.limit;
  }
}
