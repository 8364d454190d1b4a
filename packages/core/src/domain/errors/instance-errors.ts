// Errors about one instance, as those see it who start it, address it, or wait for its end.
import { messageOf } from './message-of.js';
import { RomancyError } from './romancy-error.js';

/** An instance with this id exists already. Nothing was started. */
export class InstanceConflictError extends RomancyError {
  readonly code = 'INSTANCE_CONFLICT';
  readonly instanceId: string;
  /**
   * @param fields `workflowName`: the workflow of the instance that is there, when it is another one than was asked for. `isChild`: a workflow wanted to start it
   * as its child.
   */
  constructor(fields: { instanceId: string; workflowName?: string; isChild?: boolean }) {
    const { instanceId, workflowName, isChild = false } = fields;
    super(
      isChild
        ? `a workflow instance with id ${JSON.stringify(instanceId)} exists already, and this call did not start it; choose another ` +
            `instanceId for the child, or leave it out`
        : workflowName === undefined
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
