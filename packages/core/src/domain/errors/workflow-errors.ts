// Errors that meet the code of a workflow and its activities.
import { messageOf } from './message-of.js';
import { RomancyError } from './romancy-error.js';

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

/**
 * What an activity did is to be undone, and the code that could is not there: the activity has no `compensate` any more. Nothing is skipped: the
 * instance is `stalled`, and goes on when code that can is deployed.
 */
export class CompensationNotFoundError extends RomancyError {
  readonly code = 'COMPENSATION_NOT_FOUND';
  readonly instanceId: string;
  readonly activityId: string;
  constructor(fields: { instanceId: string; workflowName: string; activityId: string; activityName: string }) {
    super(
      `workflow ${fields.workflowName}, instance ${JSON.stringify(fields.instanceId)}: activity ${fields.activityId} is to be undone, ` +
        `but ${fields.activityName} has no compensate in the code of this process; deploy code that has it and the instance goes on`,
    );
    this.instanceId = fields.instanceId;
    this.activityId = fields.activityId;
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

/** An activity's transaction was asked for in a way that cannot work, or used after its end. */
export class TransactionError extends RomancyError {
  readonly code = 'TRANSACTION';
}
