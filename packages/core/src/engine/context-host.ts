// What the workflow's context asks of its run.
import type { CallIdentity } from './call-ids.js';
import type { CallHost, DurableCall } from './operations/durable-call.js';

/** The run, as the durable verbs see it. */
export interface ContextHost extends CallHost {
  /** True while recorded outcomes are handed out, and until the code has come to rest behind the last of them. */
  readonly isReplaying: boolean;
  readonly signal: AbortSignal;
  /** The identity of the next call. @throws NotRunningError when this execution is over: its code must not go on. */
  nextCall(name: string, explicitId?: string): CallIdentity;
  /** Takes a call that the code made. */
  open(call: DurableCall): void;
  /** The recorded value of a call that has its outcome at once, or that of `make`, which is then recorded. */
  value(name: string, make: () => unknown): unknown;
}
