// The claim that an owned start is: of an instance that has no history yet.
import type { ClaimedRun, NewInstance } from '../ports/run-store.js';

export function firstClaim({
  instanceId,
  workflowName,
  input,
}: Pick<NewInstance, 'instanceId' | 'workflowName' | 'input'>): ClaimedRun {
  return {
    instanceId,
    workflowName,
    input,
    createdAt: 0,
    claim: 1,
    parentId: null,
    generation: 0,
    isInputChecked: true,
    historyStart: 0,
    history: nothing,
    historyComplete: true,
    cancel: null,
    mail: nothing,
  };
}

const nothing: readonly never[] = [];
