// The part of the storage port that serves those outside of a run: look, list, cancel.
import type { HistoryEntry } from '../domain/history.js';
import type { FinalStatus, InstanceStatus } from '../domain/instance.js';
import type { WithWakeups } from './with-wakeups.js';

/** An instance as seen from outside. Payloads are JSON text made by the codec; times are milliseconds since 1970. */
export interface InstanceRecord {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly status: InstanceStatus;
  readonly input: string;
  /** Null unless completed. */
  readonly output: string | null;
  /** Null unless failed or stalled. */
  readonly error: string | null;
  /** JSON text: the compensations that failed for good; null: none. */
  readonly compensationFailures: string | null;
  /** Null unless a cancellation with a reason was requested. */
  readonly cancelReason: string | null;
  readonly cancelRequested: boolean;
  /** The worker that executes it; null when nobody does. */
  readonly owner: string | null;
  /** When it can next be claimed; null when owned, ended, or waiting without a time limit. */
  readonly wakeAt: number | null;
  readonly createdAt: number;
  /** Null until it ended. */
  readonly finishedAt: number | null;
  /** Who started it from within a workflow, or null. */
  readonly parentId: string | null;
  /** Of one that recurred: the id under which it goes on. Null for all others. */
  readonly continuedAs: string | null;
  /** What it was before it last began anew: the id of a row with status `recurred`. Null: it never did. */
  readonly continuedFrom: string | null;
}

/** How an ended instance ended. */
export interface FinishedInstance {
  readonly instanceId: string;
  readonly status: FinalStatus;
  readonly output: string | null;
  readonly error: string | null;
  readonly cancelReason: string | null;
  /** The id under which it goes on, when its status is `recurred`; else null. */
  readonly continuedAs: string | null;
}

/** Which workflow an instance is of. */
export type WorkflowOfInstance = Pick<InstanceRecord, 'instanceId' | 'workflowName'>;

/** One comparison with a value inside the input; all of a list must hold. */
export interface InputFilter {
  /** Member names and array indexes from the root of the input's JSON. Empty: the root itself. */
  readonly path: readonly (string | number)[];
  /** Equal to this, type included: `1` is not `'1'`. */
  readonly equals: string | number | boolean | null;
}

/** What to list; every member that is not undefined must hold. */
export interface ListRequest {
  readonly status: readonly InstanceStatus[] | undefined;
  /** Part of the name, in any case (as far as the database folds letters; ASCII at least). No pattern characters. */
  readonly workflowName: string | undefined;
  /** Part of the id, likewise. */
  readonly instanceId: string | undefined;
  /** Created at or after. */
  readonly startedAfter: number | undefined;
  /** Created before. */
  readonly startedBefore: number | undefined;
  readonly input: readonly InputFilter[];
  readonly limit: number;
  /** The last row of the page before; the page begins after it. */
  readonly after: { readonly createdAt: number; readonly instanceId: string } | undefined;
}

export interface InstanceStore {
  get(instanceId: string): Promise<InstanceRecord | undefined>;
  /** Newest first, by (createdAt, instanceId) descending. */
  list(request: ListRequest): Promise<readonly InstanceRecord[]>;
  /** Those of the given instances that have ended; unknown ids are left out. */
  finished(instanceIds: readonly string[]): Promise<readonly FinishedInstance[]>;
  /** Of which workflow each of the given instances is, ended or not; unknown ids are left out. */
  workflowsOf(instanceIds: readonly string[]): Promise<readonly WorkflowOfInstance[]>;
  /**
   * Asks for the end of an instance. When nobody owns it, it becomes claimable at once; else its owner gets attention.
   * `already`: was asked before; the first reason stays. `finished`: too late. `unknown`: there is no such instance.
   */
  requestCancel(request: {
    readonly instanceId: string;
    readonly reason: string | null;
  }): Promise<
    { readonly outcome: 'requested' | 'already' | 'finished' | 'unknown'; readonly status: InstanceStatus | null } & WithWakeups
  >;
  /**
   * Entries of an instance with `seq` greater than `afterSeq`, ascending, for people to read. Of one that recurred, or begins anew: of
   * that part alone, with the id that was asked for.
   */
  history(request: {
    readonly instanceId: string;
    readonly afterSeq: number;
    readonly limit: number;
  }): Promise<readonly HistoryEntry[]>;
}
