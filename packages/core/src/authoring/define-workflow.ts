// How workflows are declared.
import { ConfigurationError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { checkSchema, type StandardSchema } from './standard-schema.js';
import type { WorkflowContext } from './workflow-context.js';

/** What a workflow does: deterministic code around the durable verbs of its context. */
export type WorkflowFunction<TInput, TOutput, TGiven = TInput> = (
  ctx: WorkflowContext<TGiven>,
  input: TInput,
) => TOutput | Promise<TOutput>;

export interface WorkflowOptions<TInput, TOutput, TGiven = TInput> {
  /** Checks, and may transform, the input when an instance is started. A violation starts nothing. */
  readonly input?: StandardSchema<TGiven, TInput>;
  /** Checks, and may transform, what the function returned. A violation fails the instance. */
  readonly output?: StandardSchema<unknown, TOutput>;
  /**
   * Events that start an instance, with the event's data as its input: one for each event, whichever process takes it in, also one
   * that does not serve this workflow. `true`: events with the workflow's name as their type. An input that the schema refuses fails the instance.
   * The id is the workflow's name, the event's source and its id (`shipping:/orders:42`). Default: none.
   */
  readonly startOn?: true | string | readonly string[];
}

/** A declared workflow: made by {@link defineWorkflow}, served by `new Romancy({ workflows })`, started by `startWorkflow`. */
export interface Workflow<TInput, TOutput, TGiven = TInput> {
  readonly type: 'workflow';
  readonly name: string;
  readonly execute: WorkflowFunction<TInput, TOutput, TGiven>;
  readonly options: WorkflowOptions<TInput, TOutput, TGiven>;
}

/** A workflow of whatever types, for lists of them. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- parameters are contravariant: only `any` takes all workflows
export type AnyWorkflow = Workflow<any, any, any>;

const optionNames = namesOf<WorkflowOptions<unknown, unknown>>({ input: true, output: true, startOn: true });

/**
 * Declares a workflow.
 * @param name what its instances are stored under; keep it when you rename the variable.
 * @throws ConfigurationError, InvalidArgumentError when the name, the function or an option is missing or out of range.
 */
export function defineWorkflow<TInput, TOutput, TGiven = TInput>(
  name: string,
  // What the function says of its context must not decide what callers give: `ctx: WorkflowContext` would let them give anything.
  execute: WorkflowFunction<TInput, TOutput, NoInfer<TGiven>>,
  options: WorkflowOptions<TInput, TOutput, TGiven> = {},
): Workflow<TInput, TOutput, TGiven> {
  checkName(name, 'workflow name');
  if (typeof execute !== 'function') {
    throw new ConfigurationError(`workflow ${name} has no function`, { option: `workflow ${name}` });
  }
  checkKnownOptions(options, optionNames, `workflow ${name}: options`);
  checkSchema(options.input, `workflow ${name}: input`);
  checkSchema(options.output, `workflow ${name}: output`);
  const { startOn } = options;
  if (startOn !== undefined && startOn !== true && typeof startOn !== 'string' && !Array.isArray(startOn)) {
    throw new ConfigurationError(
      `workflow ${name}: startOn is ${String(startOn)}; it takes true, an event type such as 'order.paid', or a list of them`,
      { option: `workflow ${name}: startOn` },
    );
  }
  for (const type of eventTypesOf(name, startOn)) checkName(type, `workflow ${name}: startOn`);
  return Object.freeze({ type: 'workflow', name, execute, options: Object.freeze({ ...options }) });
}

/** The types of the events that start an instance. */
export function eventTypesOf(name: string, startOn: WorkflowOptions<unknown, unknown>['startOn']): readonly string[] {
  if (startOn === undefined) return [];
  return startOn === true ? [name] : typeof startOn === 'string' ? [startOn] : startOn;
}
