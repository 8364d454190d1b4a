// The verbs of a workflow's context that start other workflows and wait for them.
import type { AnyWorkflow } from '../../authoring/define-workflow.js';
import type { ChildHandle, ChildOptions } from '../../authoring/messaging.js';
import { validate } from '../../authoring/standard-schema.js';
import { InvalidArgumentError, PayloadNotSerializableError, PayloadTooLargeError, ValidationError } from '../../domain/errors.js';
import { checkName, longestName } from '../../domain/ids.js';
import { checkKnownOptions, namesOf } from '../../domain/known-options.js';
import { childTopic } from '../../domain/topic.js';
import type { ContextHost, StartedChild } from '../context-host.js';
import { outputOfChild, type ChildEnd } from '../child-end.js';
import { encodeError } from '../encode-error.js';
import { handled } from '../handled.js';
import { refuseInsideActivity } from '../nested-calls.js';
import { AskingCall, type Answer } from '../operations/asking-call.js';
import { MailWaitCall } from '../operations/mail-wait-call.js';
import { encodePayload } from '../payload.js';

const childOptionNames = namesOf<ChildOptions>({ instanceId: true });
const noOptions: ChildOptions = Object.freeze({});

/** What was given, checked. */
interface ChildOrder {
  readonly workflow: AnyWorkflow;
  readonly input: unknown;
  readonly options: ChildOptions;
}

export function startChild(run: ContextHost, workflow: AnyWorkflow, given: readonly unknown[]): Promise<ChildHandle<unknown>> {
  refuseInsideActivity('startChild');
  return start(run, toOrder('startChild', workflow, given));
}

export function runChild(run: ContextHost, workflow: AnyWorkflow, given: readonly unknown[]): Promise<unknown> {
  refuseInsideActivity('runChild');
  return handled(start(run, toOrder('runChild', workflow, given)).then((child) => child.result()));
}

function toOrder(verb: string, workflow: AnyWorkflow, [input, options = noOptions]: readonly unknown[]): ChildOrder {
  if ((workflow as Partial<AnyWorkflow> | null | undefined)?.type !== 'workflow') {
    throw new InvalidArgumentError(`ctx.${verb} takes what defineWorkflow returned`, { argument: 'workflow' });
  }
  const known = options as ChildOptions;
  checkKnownOptions(known, childOptionNames, `ctx.${verb}: options`);
  if (known.instanceId !== undefined) checkName(known.instanceId, 'instanceId');
  return { workflow, input, options: known };
}

function start(run: ContextHost, { workflow, input, options }: ChildOrder): Promise<ChildHandle<unknown>> {
  const { position, id } = run.nextCall(workflow.name);
  // Written down at the call: what the code changes in it later is its own.
  const call = new AskingCall<ChildHandle<unknown>>(run, {
    position,
    id,
    verb: 'start child',
    ask: () => toStart(run, { workflow, input, options }, id),
    accept: (kind, data) => {
      if (kind === 'child_refused') throw data as Error;
      const child = data as StartedChild;
      run.childStarted(child);
      return handleOf(run, child.instanceId);
    },
  });
  run.open(call);
  return call.promise;
}

async function toStart(run: ContextHost, { workflow, input, options }: ChildOrder, callId: string): Promise<Answer> {
  const { services, instanceId: parentId, generation } = run;
  const { codec, entropy } = services;
  const what = `the input of workflow ${workflow.name}`;
  try {
    // Before anything is awaited: what the code changes in it later is its own.
    const given = codec.decode(encodePayload(input, what, services));
    const schema = workflow.options.input;
    const valid: unknown = schema === undefined ? given : await validate(schema, given, `input of workflow ${workflow.name}`);
    const part = generation === 0 ? parentId : `${parentId}~${generation}`;
    const natural = `${part}/${callId}`;
    const instanceId = options.instanceId ?? (natural.length > longestName ? entropy.uuid() : natural);
    const conflict: ChildEnd = { instanceId, status: 'conflict' };
    return {
      kind: 'child_started',
      data: codec.encode({ instanceId, workflowName: workflow.name } satisfies StartedChild),
      extras: {
        start: {
          instanceId,
          workflowName: workflow.name,
          input: encodePayload(valid, what, services),
          // The same for this very call alone, whoever makes it again after a crash.
          startToken: JSON.stringify([parentId, generation, callId]),
          owned: false,
          parent: { instanceId: parentId, conflict: { messageId: entropy.uuid(), data: codec.encode(conflict) } },
        },
      },
    };
  } catch (error) {
    const isInput =
      error instanceof ValidationError || error instanceof PayloadTooLargeError || error instanceof PayloadNotSerializableError;
    // Anything else was thrown by the schema: that, too, the code gets.
    return { kind: 'child_refused', data: encodeError(error, isInput ? what : `the error of the schema of ${what}`, services) };
  }
}

function handleOf(run: ContextHost, instanceId: string): ChildHandle<unknown> {
  let result: Promise<unknown> | undefined;
  return Object.freeze({
    instanceId,
    result: () => (result ??= waitForEnd(run, instanceId)),
  });
}

function waitForEnd(run: ContextHost, instanceId: string): Promise<unknown> {
  refuseInsideActivity('result');
  const { position, id } = run.nextCall('result');
  const call = new MailWaitCall<unknown>(run, {
    position,
    id,
    verb: 'result of child',
    topic: childTopic(instanceId),
    name: instanceId,
    status: 'waiting_for_child',
    kinds: { set: null, received: 'child_ended', timedOut: null },
    timeoutMs: null,
    seeks: false,
    accept: (end) => {
      run.childEnded(instanceId);
      return outputOfChild(end as ChildEnd);
    },
  });
  run.open(call);
  return call.promise;
}
