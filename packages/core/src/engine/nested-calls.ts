// Finds durable calls made inside an activity, which no replay would ever see.
import { AsyncLocalStorage } from 'node:async_hooks';
import { NestedCallError } from '../domain/errors.js';

const currentActivity = new AsyncLocalStorage<string>();

/** Runs an activity's function so that {@link refuseInsideActivity} knows of it, also behind its awaits. */
export function insideActivity<T>(activityId: string, execute: () => T): T {
  return currentActivity.run(activityId, execute);
}

/** Runs a workflow's function as outside of any activity, whoever started it. */
export function outsideActivity<T>(execute: () => T): T {
  return currentActivity.exit(execute);
}

/** @throws NestedCallError when called from the function of an activity. */
export function refuseInsideActivity(verb: string): void {
  const activityId = currentActivity.getStore();
  if (activityId !== undefined) throw new NestedCallError({ activityId, verb });
}
