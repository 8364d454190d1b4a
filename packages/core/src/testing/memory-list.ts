// Listing in memory: filters, order and pages.
import { atJsonPath } from '../domain/json-path.js';
import type { InputFilter, InstanceRecord, ListRequest } from '../ports/instance-store.js';
import type { MemoryDatabase, MemoryInstance } from './memory-database.js';

export function listInstances(database: MemoryDatabase, request: ListRequest): readonly InstanceRecord[] {
  return [...database.instances.values()]
    .filter((instance) => matches(instance, request))
    .sort(newestFirst)
    .filter((instance) => request.after === undefined || newestFirst(request.after, instance) < 0)
    .slice(0, request.limit)
    .map(showInstance);
}

/** An instance as seen from outside, without a way back into the database. */
export function showInstance(instance: MemoryInstance): InstanceRecord {
  return {
    instanceId: instance.instanceId,
    workflowName: instance.workflowName,
    status: instance.status,
    input: instance.input,
    output: instance.output,
    error: instance.error,
    compensationFailures: instance.compensationFailures,
    cancelReason: instance.cancelReason,
    cancelRequested: instance.cancelRequested,
    owner: instance.owner,
    wakeAt: instance.wakeAt,
    createdAt: instance.createdAt,
    finishedAt: instance.finishedAt,
    parentId: instance.parentId,
    continuedAs: instance.continuedAs,
    continuedFrom: instance.continuedFrom,
  };
}

function matches(instance: MemoryInstance, request: ListRequest): boolean {
  return (
    (request.status === undefined || request.status.includes(instance.status)) &&
    (request.workflowName === undefined || contains(instance.workflowName, request.workflowName)) &&
    (request.instanceId === undefined || contains(instance.instanceId, request.instanceId)) &&
    (request.startedAfter === undefined || instance.createdAt >= request.startedAfter) &&
    (request.startedBefore === undefined || instance.createdAt < request.startedBefore) &&
    matchesInput(instance.input, request.input)
  );
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

function matchesInput(input: string, filters: readonly InputFilter[]): boolean {
  if (filters.length === 0) return true;
  const root: unknown = JSON.parse(input);
  // What is not there is undefined, and so equals nothing, null neither.
  return filters.every(({ path, equals }) => atJsonPath(root, path) === equals);
}

type ListKey = NonNullable<ListRequest['after']>;

function newestFirst(a: ListKey, b: ListKey): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  // By code units, as a database with binary collation does.
  return a.instanceId < b.instanceId ? 1 : a.instanceId > b.instanceId ? -1 : 0;
}
