// Calls the function of a workflow, once per run, and makes an outcome of what it comes to.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import { validate } from '../authoring/standard-schema.js';
import type { WorkflowContext } from '../authoring/workflow-context.js';
import type { ContextHost } from './context-host.js';
import { encodeError } from './encode-error.js';
import { outsideActivity } from './nested-calls.js';
import { encodePayload } from './payload.js';
import type { RunOutcome } from './run-outcome.js';
import type { RunServices } from './run-services.js';
import { createWorkflowContext } from './workflow-context.js';

export interface WorkflowCodeParts {
  readonly workflow: AnyWorkflow;
  readonly workflowName: string;
  /** As it was written down. */
  readonly input: string;
  /** False: nobody has held it against the workflow's schema. */
  readonly isInputChecked: boolean;
  readonly services: RunServices;
  readonly host: ContextHost;
  /** Called once, unless the code never comes to its end. */
  onCodeEnd(outcome: RunOutcome): void;
}

/** Calls it at once. @throws what the codec throws when the input cannot be read */
export function startWorkflowCode(parts: WorkflowCodeParts): void {
  const { workflow, services, host } = parts;
  const context = createWorkflowContext(host);
  const written: unknown = services.codec.decode(parts.input);
  const hasSchemas = (!parts.isInputChecked && workflow.options.input !== undefined) || workflow.options.output !== undefined;
  // Without schemas, the promise of the function itself will do.
  const execute = hasSchemas ? withSchemas(parts, context, written) : () => promiseOf(() => workflow.execute(context, written));
  // The promise callbacks are where the end is settled: in the same turn of the event loop as the last outcome, so that the last step
  // and the completion share one commit.
  settle(outsideActivity(execute), parts);
}

/** By itself: as long as the code runs its callbacks are kept, and with them all that the function around them has at hand. */
function settle(output: Promise<unknown>, parts: WorkflowCodeParts): void {
  output.then(
    (value) => completed(value, parts),
    (error: unknown) => failed(error, parts),
  );
}

function completed(output: unknown, parts: WorkflowCodeParts): void {
  let text: string;
  try {
    text = encodePayload(output, `the output of workflow ${parts.workflowName}`, parts.services);
  } catch (error) {
    failed(error, parts);
    return;
  }
  parts.onCodeEnd({ status: 'completed', output: text, error: null });
}

function failed(error: unknown, parts: WorkflowCodeParts): void {
  const text = encodeError(error, `the error of workflow ${parts.workflowName}`, parts.services);
  parts.onCodeEnd({ status: 'failed', output: null, error: text });
}

function withSchemas(parts: WorkflowCodeParts, context: WorkflowContext, written: unknown): () => Promise<unknown> {
  const { workflow, workflowName, isInputChecked } = parts;
  const inputSchema = isInputChecked ? undefined : workflow.options.input;
  const { output: outputSchema } = workflow.options;
  return async (): Promise<unknown> => {
    const input: unknown =
      inputSchema === undefined ? written : await validate(inputSchema, written, `input of workflow ${workflowName}`);
    const output: unknown = await workflow.execute(context, input);
    return outputSchema === undefined ? output : await validate(outputSchema, output, `output of workflow ${workflowName}`);
  };
}

/** Whatever the function is: one that is not async may throw at once. */
function promiseOf(execute: () => unknown): Promise<unknown> {
  try {
    return Promise.resolve(execute());
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what code throws is passed on as it is.
    return Promise.reject(error);
  }
}
