// Calls the function of a workflow, once per run, and makes an outcome of what it comes to.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import { validate } from '../authoring/standard-schema.js';
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
  readonly onEnd: (outcome: RunOutcome) => void;
}

/** Calls it at once. @throws what the codec throws when the input cannot be read */
export function startWorkflowCode(parts: WorkflowCodeParts): void {
  const { workflow, workflowName, isInputChecked, services, host, onEnd } = parts;
  const context = createWorkflowContext(host);
  const written: unknown = services.codec.decode(parts.input);
  const inputSchema = isInputChecked ? undefined : workflow.options.input;
  // The promise callbacks below are where the end is settled: in the same turn of the event loop as the last outcome, so that the
  // last step and the completion share one commit.
  outsideActivity(async () => {
    const input: unknown =
      inputSchema === undefined ? written : await validate(inputSchema, written, `input of workflow ${workflowName}`);
    const output: unknown = await workflow.execute(context, input);
    const schema = workflow.options.output;
    const valid: unknown = schema === undefined ? output : await validate(schema, output, `output of workflow ${workflowName}`);
    return encodePayload(valid, `the output of workflow ${workflowName}`, services);
  }).then(
    (output) => onEnd({ status: 'completed', output, error: null }),
    (error: unknown) =>
      onEnd({ status: 'failed', output: null, error: encodeError(error, `the error of workflow ${workflowName}`, services) }),
  );
}
