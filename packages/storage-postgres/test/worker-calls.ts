// What a worker sends, with defaults for what does not matter in a test.
import type { ClaimRequest, NewHistoryEntry, NewInstance, ProgressBatch, Settlement } from '@romancy/core/ports';

export function batch(workerId: string, parts: Partial<ProgressBatch>): ProgressBatch {
  return { workerId, starts: [], entries: [], subscriptions: [], takenMail: [], settlements: [], ...parts };
}

export function newInstance(instanceId: string, more: Partial<NewInstance> = {}): NewInstance {
  return { instanceId, workflowName: 'order', input: '{}', startToken: `token of ${instanceId}`, owned: true, ...more };
}

export function newEntry(instanceId: string, seq: number, more: Partial<NewHistoryEntry> = {}): NewHistoryEntry {
  return { instanceId, seq, kind: 'activity_completed', callId: `step:${seq}`, position: seq, data: '1', dueAt: null, ...more };
}

export function park(instanceId: string, claim = 1): Settlement {
  return { type: 'park', instanceId, claim, status: 'waiting_for_event', wakeAt: null };
}

export function complete(instanceId: string, claim = 1): Settlement {
  return { type: 'finish', instanceId, claim, status: 'completed', output: '1', error: null };
}

export function claimRequest(workerId: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return { workerId, workflowNames: ['order'], limit: 100, historyLimit: 100, mailLimit: 100, holding: null, ...more };
}
