// The instance store in memory: look and cancel.
import { isFinal } from '../domain/instance.js';
import type { FinishedInstance, InstanceStore } from '../ports/instance-store.js';
import { requestCancel } from './memory-cancel.js';
import type { MemoryInstance } from './memory-database.js';
import { readHistory } from './memory-history.js';
import { listInstances, showInstance } from './memory-list.js';
import type { MemorySession } from './memory-session.js';

export function createMemoryInstances(session: MemorySession): InstanceStore {
  return {
    get: (instanceId) =>
      session.run((database) => {
        const instance = database.instances.get(instanceId);
        return instance === undefined ? undefined : showInstance(instance);
      }),
    list: (request) => session.run((database) => listInstances(database, request)),
    finished: (instanceIds) =>
      session.run((database) => {
        const found = [...new Set(instanceIds)].map((instanceId) => database.instances.get(instanceId));
        return found.flatMap(showFinished);
      }),
    workflowsOf: (instanceIds) =>
      session.run((database) => {
        const found = [...new Set(instanceIds)].map((instanceId) => database.instances.get(instanceId));
        return found.flatMap((instance) =>
          instance === undefined ? [] : [{ instanceId: instance.instanceId, workflowName: instance.workflowName }],
        );
      }),
    requestCancel: (request) => session.run((database, now) => requestCancel(database, request, now)),
    history: (request) => session.run((database) => readHistory(database.instances.get(request.instanceId), request)),
  };
}

function showFinished(instance: MemoryInstance | undefined): readonly FinishedInstance[] {
  if (instance === undefined || !isFinal(instance.status)) return [];
  const { instanceId, status, output, error, cancelReason, continuedAs } = instance;
  return [{ instanceId, status, output, error, cancelReason, continuedAs }];
}
