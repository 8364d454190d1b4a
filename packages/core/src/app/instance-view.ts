// Instances as users see them: decoded values and dates.
import type { InstanceStatus } from '../domain/instance.js';
import type { Codec } from '../ports/codec.js';
import type { InstanceRecord } from '../ports/instance-store.js';
import { printable } from './printable.js';

export interface InstanceView {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly status: InstanceStatus;
  readonly input: unknown;
  /** Undefined unless completed. */
  readonly output: unknown;
  /** What the workflow threw, or why it is stalled; undefined otherwise. */
  readonly error: unknown;
  /** A cancellation was asked for. */
  readonly cancelRequested: boolean;
  readonly cancelReason: string | null;
  /** The worker that runs it now. */
  readonly workerId: string | null;
  /** When a wait ends by itself; null when none does. */
  readonly wakeAt: Date | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** The instance that started it as a child. */
  readonly parentId: string | null;
  /** Of a part that `recurred`: the id under which the instance goes on. */
  readonly continuedAs: string | null;
  /** The id of the part before this one, which is kept with status `recurred`. */
  readonly continuedFrom: string | null;
  /** The compensations that failed for good; empty: none did. */
  readonly compensationFailures: readonly { readonly activityId: string; readonly error: unknown }[];
}

/** Values are decoded when they are looked at, so that a list of large inputs costs nothing to those who only want the ids. */
export function viewOf(record: InstanceRecord, codec: Codec): InstanceView {
  return printable({
    instanceId: record.instanceId,
    workflowName: record.workflowName,
    status: record.status,
    get input() {
      return codec.decode(record.input);
    },
    get output() {
      return record.output === null ? undefined : codec.decode(record.output);
    },
    get error() {
      return record.error === null ? undefined : codec.decode(record.error);
    },
    cancelRequested: record.cancelRequested,
    cancelReason: record.cancelReason,
    workerId: record.owner,
    wakeAt: record.wakeAt === null ? null : new Date(record.wakeAt),
    startedAt: new Date(record.createdAt),
    finishedAt: record.finishedAt === null ? null : new Date(record.finishedAt),
    parentId: record.parentId,
    continuedAs: record.continuedAs,
    continuedFrom: record.continuedFrom,
    get compensationFailures() {
      return record.compensationFailures === null
        ? []
        : (codec.decode(record.compensationFailures) as InstanceView['compensationFailures']);
    },
  });
}
