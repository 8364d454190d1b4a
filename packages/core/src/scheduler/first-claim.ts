// The claim that an owned start is: of an instance that has no history yet.
import type { ClaimedRun } from '../ports/claim.js';
import type { NewInstance } from '../ports/new-instance.js';

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
