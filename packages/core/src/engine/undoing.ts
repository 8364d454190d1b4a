// Undoes what the code of a run completed, one activity after the other, each as a durable call.
import type { Compensation } from '../authoring/define-activity.js';
import { validate } from '../authoring/standard-schema.js';
import { CompensationNotFoundError } from '../domain/errors.js';
import type { CallHost } from './operations/durable-call.js';
import { ActivityCall, compensationWords, type RecordedActivity } from './operations/activity-call.js';
import type { Compensable, Saga } from './saga.js';

type Execute = Compensation<unknown, unknown>['execute'];

/**
 * The call that undoes an activity. Its outcome, whatever it is, is known to the saga when its code has come to rest.
 * @throws CompensationNotFoundError
 */
export function undoingCall(host: CallHost, saga: Saga, completed: Compensable): ActivityCall {
  const { activityId, activityName, position, data, order } = completed;
  const { instanceId, workflowName, services } = host;
  if (order === null) throw new CompensationNotFoundError({ instanceId, workflowName, activityId, activityName });
  const execute: Execute = order.execute;
  const call = new ActivityCall(host, {
    position,
    id: `${activityId}/compensate`,
    name: activityName,
    execute: async (ctx) => {
      const { input, output } = services.codec.decode(data) as RecordedActivity;
      const valid = order.input === undefined ? input : await validate(order.input, input, `input of activity ${activityId}`);
      await execute(ctx, valid, output);
    },
    output: undefined,
    retry: order.retry,
    timeoutMs: order.timeoutMs,
    words: compensationWords,
  });
  call.promise.catch((error: unknown) => saga.failed({ activityId, error }));
  return call;
}
