// What the workflow's context asks of its run.
import type { AnyWorkflow } from '../authoring/define-workflow.js';
import type { HistoryKind } from '../domain/history.js';
import type { CallIdentity } from './call-ids.js';
import type { Verb } from './determinism.js';
import type { ExtraFacts } from './entry-extras.js';
import type { CallHost, DurableCall } from './operations/durable-call.js';

/** A call that has its outcome at once. */
export interface OnceOrder {
  /** What it is called in its id. */
  readonly name: string;
  readonly verb: Verb;
  readonly kind: HistoryKind;
  /** On the first run: its outcome, and what goes into the commit of its entry. */
  readonly make: () => { readonly value: unknown; readonly extras?: ExtraFacts | undefined };
}

/** A child, as its start is recorded. */
export interface StartedChild {
  readonly instanceId: string;
  readonly workflowName: string;
}

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
  atOnce(order: OnceOrder): unknown;
  /** A promise of what the code has already; now and then a turn later, so that code that awaits nothing else keeps back nobody. */
  given<T>(value: T): Promise<T>;
  readonly workflow: AnyWorkflow;
  /** How often the instance has recurred. */
  readonly generation: number;
  /** A child runs from here on, until it is told to have ended. */
  childStarted(child: StartedChild): void;
  childEnded(instanceId: string): void;
  /** The code is over: the instance begins anew. @param input JSON text */
  recur(input: string): void;
}
