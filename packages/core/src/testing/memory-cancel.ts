// Requests for the end of an instance in memory, from outside and from within a workflow.
import { isFinal } from '../domain/instance.js';
import type { InstanceStore } from '../ports/instance-store.js';
import type { CancelOrder } from '../ports/effect.js';
import { draw, type MemoryDatabase } from './memory-database.js';

export function requestCancel(
  database: MemoryDatabase,
  request: CancelOrder,
  now: number,
): Awaited<ReturnType<InstanceStore['requestCancel']>> {
  const instance = database.instances.get(request.instanceId);
  if (instance === undefined) return { outcome: 'unknown', status: null, wakeups: [] };
  if (request.childOf !== undefined && instance.parentId !== request.childOf)
    return { outcome: 'unknown', status: null, wakeups: [] };
  if (isFinal(instance.status)) return { outcome: 'finished', status: instance.status, wakeups: [] };
  if (instance.cancelRequested) return { outcome: 'already', status: instance.status, wakeups: [] };
  instance.cancelRequested = true;
  instance.cancelReason = request.reason;
  draw(instance, now);
  const { instanceId, workflowName, status } = instance;
  return { outcome: 'requested', status, wakeups: [{ kind: 'workflow_resumable', instanceId, workflowName }] };
}
