// The context object that a workflow function gets: the durable verbs, bound to one run.
import type { ActivityContext } from '../authoring/activity-context.js';
import { checkAttemptOptions, type Activity } from '../authoring/define-activity.js';
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import { validate } from '../authoring/standard-schema.js';
import type { RunOptions, WorkflowContext } from '../authoring/workflow-context.js';
import { durationMs, longestDurationMs, timeLimitMs } from '../domain/duration.js';
import { InvalidArgumentError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { resolveRetryPolicy } from '../domain/retry-policy.js';
import type { Logger } from '../ports/logger.js';
import { refuseInsideActivity } from './nested-calls.js';
import { ActivityCall, activityWords, compensableWords, type RecordedActivity } from './operations/activity-call.js';
import { SleepCall } from './operations/sleep-call.js';
import { encodePayload } from './payload.js';
import type { ContextHost } from './context-host.js';
import type { RunServices } from './run-services.js';
import type { CompensationOrder } from './saga.js';
import { scopedLogger } from './scoped-logger.js';
import { runChild, startChild } from './verbs/child-verbs.js';
import { waitEvent } from './verbs/event-verbs.js';
import {
  groupMembers,
  joinGroup,
  leaveGroup,
  publish,
  receive,
  sendEvent,
  sendTo,
  subscribe,
  unsubscribe,
} from './verbs/message-verbs.js';
import { recur } from './verbs/recur-verb.js';

type InlineFunction = (ctx: ActivityContext) => unknown;
type AnyActivity = Activity<unknown, unknown, unknown>;

const callOptionNames = namesOf<RunOptions>({ id: true, retry: true, timeout: true });
const noOptions: RunOptions = Object.freeze({});

/** Made once per execution. Its verbs may be taken out of it: `const { run, sleep } = ctx`. */
export function createWorkflowContext(run: ContextHost): WorkflowContext {
  return Object.freeze(new RunContext(run));
}

/** Thousands are made in a second, and most use one or two verbs: so none is made before somebody asks for it. */
class RunContext implements WorkflowContext {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly #run: ContextHost;
  #logger: Logger | undefined;

  constructor(run: ContextHost) {
    this.instanceId = run.instanceId;
    this.workflowName = run.workflowName;
    this.#run = run;
  }

  get isReplaying(): boolean {
    return this.#run.isReplaying;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get logger(): Logger {
    const { instanceId, workflowName } = this;
    this.#logger ??= scopedLogger(this.#run.services.logger, { instanceId, workflowName }, () => this.#run.isReplaying);
    return this.#logger;
  }

  get run(): WorkflowContext['run'] {
    return (what: AnyActivity | string, given?: unknown, options?: RunOptions) =>
      runActivity(this.#run, toActivityCall(what, given, options)) as Promise<never>;
  }

  get sleep(): WorkflowContext['sleep'] {
    return (duration) => {
      refuseInsideActivity('sleep');
      const ms = durationMs(duration, 'ctx.sleep(duration)');
      const { storageTime } = this.#run.services;
      return sleep(this.#run, () => storageTime.ahead() + ms);
    };
  }

  get sleepUntil(): WorkflowContext['sleepUntil'] {
    return (moment) => {
      refuseInsideActivity('sleepUntil');
      const at = Number(moment);
      if (!Number.isFinite(at) || Math.abs(at) > longestDurationMs / 2) {
        throw new InvalidArgumentError(`ctx.sleepUntil(moment) takes a Date or milliseconds since 1970, not ${String(moment)}`, {
          argument: 'moment',
        });
      }
      return sleep(this.#run, () => Math.ceil(at));
    };
  }

  get waitEvent(): WorkflowContext['waitEvent'] {
    return (type, options) => waitEvent(this.#run, type, options);
  }

  get publish(): WorkflowContext['publish'] {
    return (channel, data, options) => publish(this.#run, channel, [data, options]);
  }

  get sendTo(): WorkflowContext['sendTo'] {
    return (instanceId, channel, data, options) => sendTo(this.#run, { instanceId, channel }, [data, options]);
  }

  get sendEvent(): WorkflowContext['sendEvent'] {
    return (event) => sendEvent(this.#run, event);
  }

  get subscribe(): WorkflowContext['subscribe'] {
    return (channel, mode) => subscribe(this.#run, channel, mode);
  }

  get unsubscribe(): WorkflowContext['unsubscribe'] {
    return (channel) => unsubscribe(this.#run, channel);
  }

  get receive(): WorkflowContext['receive'] {
    return (channel, options) => receive(this.#run, channel, options);
  }

  get joinGroup(): WorkflowContext['joinGroup'] {
    return (group) => joinGroup(this.#run, group);
  }

  get leaveGroup(): WorkflowContext['leaveGroup'] {
    return (group) => leaveGroup(this.#run, group);
  }

  get groupMembers(): WorkflowContext['groupMembers'] {
    return (group) => groupMembers(this.#run, group);
  }

  get startChild(): WorkflowContext['startChild'] {
    return (workflow, ...given) => startChild(this.#run, workflow as AnyWorkflow, given) as Promise<never>;
  }

  get runChild(): WorkflowContext['runChild'] {
    return (workflow, ...given) => runChild(this.#run, workflow as AnyWorkflow, given) as Promise<never>;
  }

  get recur(): WorkflowContext['recur'] {
    return (input) => recur(this.#run, input);
  }

  get now(): WorkflowContext['now'] {
    return () => value(this.#run, 'now', ({ storageTime }) => Math.trunc(storageTime.now()));
  }

  get random(): WorkflowContext['random'] {
    return () => value(this.#run, 'random', ({ entropy }) => entropy.random());
  }

  get uuid(): WorkflowContext['uuid'] {
    return () => value(this.#run, 'uuid', ({ entropy }) => entropy.uuid());
  }
}

/** What `ctx.run` was given, checked. */
interface CheckedCall {
  readonly name: string;
  readonly options: RunOptions;
  /** Either a declared activity and its input, or a function in place. */
  readonly activity: AnyActivity | null;
  readonly given: unknown;
}

function toActivityCall(what: AnyActivity | string, given: unknown, options: RunOptions | undefined): CheckedCall {
  refuseInsideActivity('run');
  const inline = typeof what === 'string';
  // An import in a circle gives undefined, and a plain function has a name as well.
  if (!inline && (what as Partial<AnyActivity> | null | undefined)?.type !== 'activity') {
    throw new InvalidArgumentError(
      `ctx.run takes what defineActivity returned, or a name and a function; it was given ${what === null ? 'null' : typeof what}`,
      { argument: 'activity' },
    );
  }
  const name = inline ? what : what.name;
  if (inline) {
    checkName(name, 'activity name');
    if (typeof given !== 'function') {
      throw new InvalidArgumentError(`ctx.run(${JSON.stringify(name)}, …) takes a function as its second argument`, {
        argument: 'execute',
      });
    }
  }
  if (options !== undefined) {
    checkKnownOptions(options, callOptionNames, `activity ${name}: options`);
    if (options.retry !== undefined || options.timeout !== undefined) checkAttemptOptions(options, `activity ${name}`);
  }
  return { name, options: options ?? noOptions, activity: inline ? null : what, given };
}

function runActivity(run: ContextHost, { name, options, activity, given }: CheckedCall): Promise<unknown> {
  const declared = activity === null ? noOptions : activity.options;
  const timeout = options.timeout ?? declared.timeout;
  const input = activity === null ? null : takenInput(run, activity, given);
  const execute = input === null ? (given as InlineFunction) : declaredFunction(activity!, input);
  const { position, id } = run.nextCall(name, options.id);
  const retry = resolveRetryPolicy(options.retry, resolveRetryPolicy(declared.retry, run.services.retry, name), name);
  const timeoutMs = timeout === undefined ? null : timeLimitMs(timeout, `activity ${name}: timeout`);
  const compensation = activity === null ? undefined : compensationOf(activity, { retry, timeoutMs });
  const call = new ActivityCall(run, {
    position,
    id,
    name,
    execute,
    output: activity?.options.output,
    retry,
    timeoutMs,
    words: compensation === undefined ? activityWords : compensableWords,
    recorded:
      compensation === undefined ? undefined : (output): RecordedActivity => ({ activity: name, input: input!(), output }),
    compensation,
  });
  run.open(call);
  return call.promise;
}

/** With its own policy, laid over that of the activity. */
function compensationOf(
  { name, options }: AnyActivity,
  { retry, timeoutMs }: Pick<CompensationOrder, 'retry' | 'timeoutMs'>,
): CompensationOrder | undefined {
  const { compensate, input } = options;
  if (compensate === undefined) return undefined;
  if (typeof compensate === 'function') return { execute: compensate, input, retry, timeoutMs };
  const what = `activity ${name}: compensate`;
  return {
    execute: compensate.execute,
    input,
    retry: resolveRetryPolicy(compensate.retry, retry, what),
    timeoutMs: compensate.timeout === undefined ? timeoutMs : timeLimitMs(compensate.timeout, `${what}: timeout`),
  };
}

function sleep(run: ContextHost, dueAt: () => number): Promise<void> {
  const { position, id } = run.nextCall('sleep');
  const call = new SleepCall(run, { position, id, dueAt });
  run.open(call);
  return call.promise;
}

function value<T>(run: ContextHost, verb: string, make: (services: RunServices) => T): T {
  refuseInsideActivity(verb);
  return run.atOnce({ name: verb, verb: 'value', kind: 'value', make: () => ({ value: make(run.services) }) }) as T;
}

/**
 * Gives copies of the input as it was at the call. It passes through the codec there, so that what the code changes in it later, and
 * what the activity changes in it, stays on its own side: on replay the activity does not run, and nothing would change.
 */
function takenInput(run: ContextHost, activity: AnyActivity, given: unknown): () => unknown {
  const isPlain = given === null || (typeof given !== 'object' && typeof given !== 'function' && typeof given !== 'symbol');
  if (isPlain) return () => given;
  const { codec } = run.services;
  const text = encodePayload(given, `the input of activity ${activity.name}`, run.services);
  return () => codec.decode(text);
}

function declaredFunction(activity: AnyActivity, input: () => unknown): InlineFunction {
  const { input: schema } = activity.options;
  return async (ctx) => {
    const copy = input();
    const valid = schema === undefined ? copy : await validate(schema, copy, `input of activity ${ctx.activityId}`);
    return activity.execute(ctx, valid);
  };
}
