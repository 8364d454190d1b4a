// The context object that a workflow function gets: the durable verbs, bound to one run.
import type { ActivityContext } from '../authoring/activity-context.js';
import { checkAttemptOptions, type Activity } from '../authoring/define-activity.js';
import { checkSchema, validate } from '../authoring/standard-schema.js';
import type { RunOptions, WaitEventOptions, WorkflowContext } from '../authoring/workflow-context.js';
import type { ReceivedEvent } from '../domain/cloud-event.js';
import { durationMs, longestDurationMs, timeLimitMs, type Duration } from '../domain/duration.js';
import { InvalidArgumentError } from '../domain/errors.js';
import { checkName } from '../domain/ids.js';
import { checkKnownOptions, namesOf } from '../domain/known-options.js';
import { resolveRetryPolicy } from '../domain/retry-policy.js';
import type { Logger } from '../ports/logger.js';
import { refuseInsideActivity } from './nested-calls.js';
import { ActivityCall } from './operations/activity-call.js';
import { EventWaitCall } from './operations/event-wait-call.js';
import { SleepCall } from './operations/sleep-call.js';
import { encodePayload } from './payload.js';
import type { ContextHost } from './context-host.js';
import { scopedLogger } from './scoped-logger.js';

type InlineFunction = (ctx: ActivityContext) => unknown;
type AnyActivity = Activity<unknown, unknown, unknown>;

const callOptionNames = namesOf<RunOptions>({ id: true, retry: true, timeout: true });
const waitOptionNames = namesOf<WaitEventOptions<unknown>>({ timeout: true, schema: true });

/** Made once per execution. */
export function createWorkflowContext(run: ContextHost): WorkflowContext {
  const { services, instanceId, workflowName } = run;
  let logger: Logger | undefined;

  const runActivity = (what: AnyActivity | string, given?: unknown, callOptions?: RunOptions): Promise<unknown> => {
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
    const call = callOptions ?? {};
    if (callOptions !== undefined) checkKnownOptions(callOptions, callOptionNames, `activity ${name}: options`);
    if (call.retry !== undefined || call.timeout !== undefined) checkAttemptOptions(call, `activity ${name}`);
    const declared = inline ? {} : what.options;
    const timeout = call.timeout ?? declared.timeout;
    const execute = inline ? (given as InlineFunction) : declaredFunction(run, what, given);
    const { position, id } = run.nextCall(name, call.id);
    const activity = new ActivityCall(run, {
      position,
      id,
      name,
      execute,
      output: inline ? undefined : what.options.output,
      retry: resolveRetryPolicy(call.retry, resolveRetryPolicy(declared.retry, services.retry, name), name),
      timeoutMs: timeout === undefined ? null : timeLimitMs(timeout, `activity ${name}: timeout`),
    });
    run.open(activity);
    return activity.promise;
  };

  const sleep = (dueAt: () => number): Promise<void> => {
    const { position, id } = run.nextCall('sleep');
    const call = new SleepCall(run, { position, id, dueAt });
    run.open(call);
    return call.promise;
  };

  return Object.freeze({
    instanceId,
    workflowName,
    get isReplaying() {
      return run.isReplaying;
    },
    get signal() {
      return run.signal;
    },
    get logger() {
      logger ??= scopedLogger(services.logger, { instanceId, workflowName }, () => run.isReplaying);
      return logger;
    },
    run: runActivity,
    sleep(duration: Duration): Promise<void> {
      refuseInsideActivity('sleep');
      const ms = durationMs(duration, 'ctx.sleep(duration)');
      return sleep(() => services.storageTime.ahead() + ms);
    },
    sleepUntil(moment: Date | number): Promise<void> {
      refuseInsideActivity('sleepUntil');
      const at = Number(moment);
      if (!Number.isFinite(at) || Math.abs(at) > longestDurationMs / 2) {
        throw new InvalidArgumentError(`ctx.sleepUntil(moment) takes a Date or milliseconds since 1970, not ${String(moment)}`, {
          argument: 'moment',
        });
      }
      return sleep(() => Math.ceil(at));
    },
    waitEvent<TData>(type: string, options: WaitEventOptions<TData> = {}): Promise<ReceivedEvent<TData>> {
      refuseInsideActivity('waitEvent');
      checkName(type, 'event type');
      checkKnownOptions(options, waitOptionNames, 'ctx.waitEvent: options');
      const { schema } = options;
      checkSchema(schema, 'ctx.waitEvent: schema');
      const { position, id } = run.nextCall(type);
      const call = new EventWaitCall<TData>(run, {
        position,
        id,
        type,
        timeoutMs: options.timeout === undefined ? null : timeLimitMs(options.timeout, 'ctx.waitEvent: timeout'),
        accept: (event) =>
          schema === undefined
            ? (event as ReceivedEvent<TData>)
            : validate(schema, event.data, `data of event ${type}`).then((data) => ({ ...event, data })),
      });
      run.open(call);
      return call.promise;
    },
    now(): number {
      refuseInsideActivity('now');
      return run.value('now', () => Math.trunc(services.storageTime.now())) as number;
    },
    random(): number {
      refuseInsideActivity('random');
      return run.value('random', () => services.entropy.random()) as number;
    },
    uuid(): string {
      refuseInsideActivity('uuid');
      return run.value('uuid', () => services.entropy.uuid()) as string;
    },
  });
}

/**
 * The function with its input in it. The input passes through the codec at the call, so that what the code changes in it later, and
 * what the activity changes in it, stays on its own side: on replay the activity does not run, and nothing would change.
 */
function declaredFunction(run: ContextHost, activity: AnyActivity, given: unknown): InlineFunction {
  const { codec } = run.services;
  const { input: schema } = activity.options;
  const isPlain = given === null || (typeof given !== 'object' && typeof given !== 'function' && typeof given !== 'symbol');
  const text = isPlain ? null : encodePayload(given, `the input of activity ${activity.name}`, run.services);
  return async (ctx) => {
    const copy = text === null ? given : codec.decode(text);
    const valid = schema === undefined ? copy : await validate(schema, copy, `input of activity ${ctx.activityId}`);
    return activity.execute(ctx, valid);
  };
}
