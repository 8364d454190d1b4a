// What a worker sends, with defaults for what does not matter in a test.
import type { ClaimRequest, NewHistoryEntry, NewInstance, ProgressBatch, Settlement, UpkeepRequest } from '@romancy/core/ports';

export function batch(workerId: string, parts: Partial<ProgressBatch>): ProgressBatch {
  return { workerId, starts: [], entries: [], effects: [], subscriptions: [], takenMail: [], settlements: [], ...parts };
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

/** An upkeep that renews. */
export function renewal(workerId: string, leaseMs: number, presence: string | null = null): UpkeepRequest {
  return { workerId, renewal: { leaseMs, presence, workflowNames: ['order'] }, suspects: [] };
}

/** An upkeep that renews nothing. */
export function look(workerId: string): UpkeepRequest {
  return { workerId, renewal: null, suspects: [] };
}
