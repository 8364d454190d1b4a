// The errors that Romancy raises: each has a literal code, and the ids it speaks of as fields.

const brand = Symbol.for('@romancy/error');

/** Codes by which errors can be told apart without a class; stable across versions. */
export type RomancyErrorCode =
  | 'ACTIVITY_FAILED'
  | 'ACTIVITY_TIMEOUT'
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

/** What a thrown value says. Anything can be thrown, also what String() throws at. */
function messageOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const { message } = thrown as { readonly message?: unknown };
  return typeof message === 'string' ? message : Object.prototype.toString.call(thrown);
}

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

/** An instance with this id exists already. Nothing was started. */
export class InstanceConflictError extends RomancyError {
  readonly code = 'INSTANCE_CONFLICT';
  readonly instanceId: string;
  /** @param fields `workflowName`: the workflow of the instance that is there, when it is another one than was asked for. */
  constructor(fields: { instanceId: string; workflowName?: string }) {
    const { instanceId, workflowName } = fields;
    super(
      workflowName === undefined
        ? `a workflow instance with id ${JSON.stringify(instanceId)} exists already; choose another id, or pass ` +
            `onConflict: 'existing' to get the handle of the one that is there`
        : `a workflow instance with id ${JSON.stringify(instanceId)} exists already, and it is one of workflow ` +
            `${JSON.stringify(workflowName)}; choose another id`,
    );
    this.instanceId = instanceId;
  }
}

/** There is no instance with this id. */
export class InstanceNotFoundError extends RomancyError {
  readonly code = 'INSTANCE_NOT_FOUND';
  readonly instanceId: string;
  constructor(fields: { instanceId: string }) {
    super(`there is no workflow instance with id ${JSON.stringify(fields.instanceId)}`);
    this.instanceId = fields.instanceId;
  }
}

/** The instance has ended, so it cannot be cancelled or sent anything. */
export class InstanceFinishedError extends RomancyError {
  readonly code = 'INSTANCE_FINISHED';
  readonly instanceId: string;
  readonly status: string;
  constructor(fields: { instanceId: string; status: string }) {
    super(`workflow instance ${JSON.stringify(fields.instanceId)} has ended already (${fields.status})`);
    this.instanceId = fields.instanceId;
    this.status = fields.status;
  }
}

/** `result()` of an instance that failed. `cause` is the error that the workflow threw, as far as it can be rebuilt. */
export class WorkflowFailedError extends RomancyError {
  readonly code = 'WORKFLOW_FAILED';
  readonly instanceId: string;
  constructor(fields: { instanceId: string; cause: unknown }) {
    super(`workflow instance ${JSON.stringify(fields.instanceId)} failed: ${messageOf(fields.cause)}`, { cause: fields.cause });
    this.instanceId = fields.instanceId;
  }
}

/** `result()` of an instance that was cancelled; also the reason of the abort of `ctx.signal`. */
export class WorkflowCancelledError extends RomancyError {
  readonly code = 'WORKFLOW_CANCELLED';
  readonly instanceId: string;
  /** The reason given to `cancel`, or null. */
  readonly reason: string | null;
  constructor(fields: { instanceId: string; reason: string | null }) {
    super(
      `workflow instance ${JSON.stringify(fields.instanceId)} was cancelled${fields.reason === null ? '' : `: ${fields.reason}`}`,
    );
    this.instanceId = fields.instanceId;
    this.reason = fields.reason;
  }
}

/** `result({ timeout })` waited for as long as it was told; the instance goes on. */
export class ResultTimeoutError extends RomancyError {
  readonly code = 'RESULT_TIMEOUT';
  readonly instanceId: string;
  readonly timeoutMs: number;
  constructor(fields: { instanceId: string; timeoutMs: number }) {
    super(`workflow instance ${JSON.stringify(fields.instanceId)} did not end within ${fields.timeoutMs} ms; it goes on`);
    this.instanceId = fields.instanceId;
    this.timeoutMs = fields.timeoutMs;
  }
}

/** All attempts of an activity failed. `cause` is the error of the last one. */
export class ActivityFailedError extends RomancyError {
  readonly code = 'ACTIVITY_FAILED';
  readonly activityId: string;
  readonly attempts: number;
  constructor(fields: { activityId: string; attempts: number; cause: unknown; why?: string }) {
    const cause = fields.cause;
    super(
      `activity ${fields.activityId} failed after ${fields.attempts} attempt${fields.attempts === 1 ? '' : 's'}` +
        `${fields.why === undefined ? '' : ` (${fields.why})`}: ${messageOf(cause)}`,
      { cause },
    );
    this.activityId = fields.activityId;
    this.attempts = fields.attempts;
  }
}

/** One attempt of an activity took longer than its `timeout`. Counts as a failure and is retried like one. */
export class ActivityTimeoutError extends RomancyError {
  readonly code = 'ACTIVITY_TIMEOUT';
  readonly activityId: string;
  readonly timeoutMs: number;
  constructor(fields: { activityId: string; timeoutMs: number }) {
    super(`an attempt of activity ${fields.activityId} took longer than its timeout of ${fields.timeoutMs} ms`);
    this.activityId = fields.activityId;
    this.timeoutMs = fields.timeoutMs;
  }
}

/** Thrown by an activity, directly or as a cause, to say that another attempt is of no use. Extend it at will. */
export class TerminalError extends RomancyError {
  readonly code = 'TERMINAL';
}

/** What was waited for did not come within the timeout. */
export class WaitTimeoutError extends RomancyError {
  readonly code = 'WAIT_TIMEOUT';
  /** What was waited for: the event type or the channel. */
  readonly waitedFor: string;
  readonly timeoutMs: number;
  constructor(fields: { waitedFor: string; timeoutMs: number }) {
    super(`${JSON.stringify(fields.waitedFor)} did not come within ${fields.timeoutMs} ms`);
    this.waitedFor = fields.waitedFor;
    this.timeoutMs = fields.timeoutMs;
  }
}

/**
 * The workflow's code did not do what its history says it did. The run stops, the history stays as it is, the instance is
 * `stalled`, and it goes on when code that fits its history is deployed.
 */
export class NonDeterminismError extends RomancyError {
  readonly code = 'NON_DETERMINISM';
  readonly workflowName: string;
  readonly instanceId: string;
  /** The place in the order of durable calls, from 0. */
  readonly position: number;
  /** What the code did there. */
  readonly actual: string;
  /** What history says was done there. */
  readonly expected: string;
  constructor(fields: { instanceId: string; workflowName: string; position: number; actual: string; expected: string }) {
    super(
      `workflow ${fields.workflowName}, instance ${JSON.stringify(fields.instanceId)}, durable call ${fields.position}:\n` +
        `  history says: ${fields.expected}\n` +
        `  the code did: ${fields.actual}\n` +
        `The code of a workflow must make the same durable calls in the same order as long as instances of it are open. ` +
        `Nothing was overwritten; deploy code that fits this history and the instance goes on.`,
    );
    this.workflowName = fields.workflowName;
    this.instanceId = fields.instanceId;
    this.position = fields.position;
    this.actual = fields.actual;
    this.expected = fields.expected;
  }
}

/** Two durable calls of one run were given the same explicit id. */
export class DuplicateCallIdError extends RomancyError {
  readonly code = 'DUPLICATE_CALL_ID';
  readonly instanceId: string;
  readonly callId: string;
  constructor(fields: { instanceId: string; callId: string }) {
    super(
      `instance ${JSON.stringify(fields.instanceId)} used the id ${JSON.stringify(fields.callId)} for two durable calls; an explicit id names one call`,
    );
    this.instanceId = fields.instanceId;
    this.callId = fields.callId;
  }
}

/** A durable verb of a workflow's context was called inside an activity, where it would not be replayed. */
export class NestedCallError extends RomancyError {
  readonly code = 'NESTED_CALL';
  readonly activityId: string;
  constructor(fields: { activityId: string; verb: string }) {
    super(
      `ctx.${fields.verb} was called inside activity ${fields.activityId}; durable calls belong in the body of the workflow function: ` +
        `return from the activity first`,
    );
    this.activityId = fields.activityId;
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

/** Input or output does not satisfy its schema. Nothing was started or stored. */
export class ValidationError extends RomancyError {
  readonly code = 'VALIDATION';
  readonly issues: readonly { readonly path: string; readonly message: string }[];
  constructor(fields: { what: string; issues: readonly { readonly path: string; readonly message: string }[] }) {
    super(`${fields.what} is not valid: ${fields.issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ')}`);
    this.issues = fields.issues;
  }
}

/** This process was declared dead (its lease ran out), so that its runs went to others; what it wanted to write was refused. */
export class LeaseLostError extends RomancyError {
  readonly code = 'LEASE_LOST';
  readonly workerId: string;
  constructor(fields: { workerId: string }) {
    super(
      `worker ${fields.workerId} was declared dead because its lease ran out; its runs go on elsewhere and nothing it still holds is written`,
    );
    this.workerId = fields.workerId;
  }
}

/**
 * The database could not be reached, or refused for a reason that passes: connection lost, too many connections, deadlock,
 * serialization failure, disk full, locked. It is not known whether the statement took effect; every transition of the
 * storage port can be repeated without harm.
 */
export class StorageUnavailableError extends RomancyError {
  readonly code = 'STORAGE_UNAVAILABLE';
}

/** The database's schema is of a version with which this code cannot work. */
export class SchemaVersionError extends RomancyError {
  readonly code = 'SCHEMA_VERSION';
}

/** An activity's transaction was asked for in a way that cannot work, or used after its end. */
export class TransactionError extends RomancyError {
  readonly code = 'TRANSACTION';
}
