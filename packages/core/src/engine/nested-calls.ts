// Finds durable calls made inside an activity, which no replay would ever see.
import { AsyncLocalStorage } from 'node:async_hooks';
import { NestedCallError } from '../domain/errors.js';

/**
 * Before Node 24 an AsyncLocalStorage makes every promise of the process slower (a third of all steps per second). There the check
 * reaches up to the first await of an activity's function; later nested calls end in a NonDeterminismError at the next replay.
 */
const throughAwaits = Number.parseInt(process.versions.node, 10) >= 24 ? new AsyncLocalStorage<string | undefined>() : null;
let current: string | undefined;

/** Runs an activity's function so that {@link refuseInsideActivity} knows of it. */
export function insideActivity<A, T>(activityId: string, execute: (argument: A) => T, argument: A): T {
  return within(activityId, execute, argument);
}

/** Runs a workflow's function as outside of any activity, whoever started it. */
export function outsideActivity<T>(execute: (argument: undefined) => T): T {
  return within(undefined, execute, undefined);
}

/** @throws NestedCallError when called from the function of an activity. */
export function refuseInsideActivity(verb: string): void {
  const activityId = current ?? throughAwaits?.getStore();
  if (activityId !== undefined) throw new NestedCallError({ activityId, verb });
}

function within<A, T>(activityId: string | undefined, execute: (argument: A) => T, argument: A): T {
  const before = current;
  current = activityId;
  try {
    return throughAwaits === null ? execute(argument) : throughAwaits.run(activityId, execute, argument);
  } finally {
    current = before;
  }
}
